import type { ScheduleEntry, ScheduleSettings } from '@asyncfn/queue-core/schedules';
import type { Logger } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { FileSchedules, fileScheduleProblems } from './file-schedules.ts';
import type { ScheduleRegister } from './schedule-register.ts';

const config = {
  name: 'report',
  url: 'http://report',
  queue: 'default',
  timeoutMs: 0,
  concurrency: undefined,
  maxPending: undefined,
  adaptive: true,
  retry: { attempts: 0, minWaitMs: 0, maxWaitMs: 0, backoff: undefined, codes: undefined },
};
const callbackPolicy = { objectTo: () => undefined };

function setup() {
  const entries = new Map<string, ScheduleEntry>();
  const errors: object[] = [];
  let writes = 0;
  const change: ScheduleRegister['change'] = async (name, decide) => {
    writes += 1;
    const there = entries.get(name);
    const entry = decide(there && { entry: there, revision: 1 }, { name, now: 1_000, newSeries: 's' });
    entries.delete(name);
    if (entry !== undefined) {
      entries.set(name, entry);
    }
    return entry && { entry, revision: 1, created: there === undefined };
  };
  const schedules = new FileSchedules({
    register: { change },
    context: {
      lookup: (name) => (name === 'report' ? config : undefined),
      names: { namesOf: (name) => [name] },
      knowsAll: () => true,
      callbackPolicy,
      now: () => 1_000,
    },
    ready: () => true,
    logger: { error: (fields: object) => void errors.push(fields) } as unknown as Logger,
  });
  return { schedules, entries, errors, writes: () => writes };
}

function file(...schedules: [string, Partial<ScheduleSettings>][]): Map<string, ScheduleSettings> {
  return new Map(schedules.map(([name, settings]) => [name, { function: 'report', every: '1m', ...settings }]));
}

test('the schedules of a file are stored, changed and removed as the file is, and nothing is written twice', async () => {
  const { schedules, entries, writes } = setup();
  await schedules.store(file(['a', {}], ['b', {}]));
  await schedules.store(file(['a', {}], ['b', {}]));
  expect([...entries.keys()]).toEqual(['a', 'b']);
  expect(writes()).toBe(2);
  await schedules.store(file(['b', { every: '2m' }]));
  expect([...entries.values()]).toMatchObject([{ name: 'b', source: 'file', settings: { every: '2m' } }]);
  entries.clear();
  schedules.forget();
  await schedules.store(file(['b', { every: '2m' }]));
  expect([...entries.keys()]).toEqual(['b']);
});

test('a schedule whose calls would be refused is reported, and the others are stored', async () => {
  const { schedules, entries, errors } = setup();
  await schedules.store(file(['wrong', { headers: { 'X-Label': 'a b' } }], ['fine', {}]));
  expect([...entries.keys()]).toEqual(['fine']);
  expect(errors).toMatchObject([{ schedule: 'wrong', detail: expect.stringContaining('X-Label') }]);
});

test('at the start it is a problem of the configuration, also with a step that only the API knows', () => {
  const schedules = file(
    ['wrong', { headers: { 'X-Timeout': '0' } }],
    ['fine', { headers: { 'X-Then': 'of-the-api' } }],
  );
  const functions = new Map([['report', config]]);
  expect(fileScheduleProblems({ schedules, functions, fallback: undefined }, 'f.yaml', callbackPolicy)).toEqual([
    { name: 'FUNCTIONS_FILE', problem: expect.stringMatching(/^f\.yaml: schedules\.wrong: X-Timeout must/) },
  ]);
});
