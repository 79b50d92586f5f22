import type { ScheduleEntry, ScheduleSettings } from '@asyncfn/queue-core/schedules';
import type { Logger } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { callProblemsOf, FileSchedules } from './file-schedules.ts';
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

function setup(entries = new Map<string, ScheduleEntry>(), known = new Set(['report'])) {
  const errors: object[] = [];
  const warnings: object[] = [];
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
    register: { change, list: async () => [...entries.values()] },
    context: {
      lookup: (name) => (known.has(name) ? config : undefined),
      names: { namesOf: (name) => [name] },
      knowsAll: () => true,
      callbackPolicy,
      now: () => 1_000,
    },
    ready: () => true,
    logger: {
      error: (fields: object) => void errors.push(fields),
      warn: (fields: object) => void warnings.push(fields),
    } as unknown as Logger,
  });
  return { schedules, entries, errors, warnings, writes: () => writes };
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

test('schedules that an earlier file has stored, and this one does not name, stay, and the log names them once', async () => {
  const { schedules: before, entries } = setup();
  await before.store(file(['a', {}], ['b', {}]));
  const { schedules, entries: now, warnings } = setup(entries);
  await schedules.store(file(['b', {}]));
  await schedules.store(file(['b', {}]));
  expect([...now.keys()]).toEqual(['a', 'b']);
  expect(warnings).toEqual([{ schedules: ['a'], count: 1 }]);
});

test('a schedule whose calls would be refused is reported, and the others are stored', async () => {
  const { schedules, entries, errors } = setup();
  await schedules.store(file(['wrong', { headers: { 'X-Label': 'a b' } }], ['fine', {}]));
  expect([...entries.keys()]).toEqual(['fine']);
  expect(errors).toMatchObject([{ schedule: 'wrong', detail: expect.stringContaining('X-Label') }]);
});

test('a schedule whose function is registered later is stored then, and its absence is reported once', async () => {
  const known = new Set<string>();
  const { schedules, entries, warnings, writes } = setup(new Map(), known);
  await schedules.store(file(['a', {}]));
  await schedules.store(file(['a', {}]));
  expect(warnings).toMatchObject([{ schedule: 'a', detail: expect.stringContaining('registered') }]);
  known.add('report');
  await schedules.store(file(['a', {}]));
  await schedules.store(file(['a', {}]));
  expect([...entries.keys()]).toEqual(['a']);
  expect(writes()).toBe(1);
});

test('all problems of its calls are problems of the file, also if only the API knows the next step', () => {
  const problemsOf = (settings: Partial<ScheduleSettings>) =>
    callProblemsOf(callbackPolicy)({ function: 'report', every: '1m', ...settings });
  const wrong = { 'X-Timeout': '0', 'X-Label': 'fine', 'X-Call-Id': 'mine', 'X-Callback-Url': 'ftp://x' };
  expect(problemsOf({ path: '/../..', headers: wrong })).toEqual([
    { keys: ['path'], problem: expect.stringMatching(/^is refused: /) },
    { keys: ['headers', 'X-Timeout'], problem: expect.stringMatching(/^is refused: X-Timeout must/) },
    { keys: ['headers', 'X-Call-Id'], problem: expect.stringContaining('X-Call-Id') },
    { keys: ['headers', 'X-Callback-Url'], problem: expect.stringMatching(/^is refused: X-Callback-Url must/) },
  ]);
  const flow = { 'X-Flow-Key': 'report', 'x-flow-control': 'rate=10, period=1m' };
  expect(problemsOf({ headers: flow })).toEqual([]);
  expect(problemsOf({ headers: { ...flow, 'x-flow-control': 'rate=10' } })).toMatchObject([
    { keys: ['headers', 'x-flow-control'], problem: expect.stringContaining('rate and period') },
  ]);
  const many = Array.from({ length: 11 }, (_, i) => [`X-Callback-Forward-${i}`, 'a'.repeat(400)]);
  expect(problemsOf({ headers: Object.fromEntries(many) })).toMatchObject([{ keys: ['headers'] }]);
  expect(problemsOf({ path: '/a?b=1', headers: { 'X-Then': 'of-the-api' } })).toEqual([]);
});
