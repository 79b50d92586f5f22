import type { Call } from '@asyncfn/queue-core';
import type { AcceptOptions, AcceptResult, MomentDelivery, MomentStep } from '@asyncfn/queue-core/jetstream';
import { type Moment, type ScheduleEntry, type ScheduleRun, scheduledCallId } from '@asyncfn/queue-core/schedules';
import { createLogger } from '@asyncfn/service-kit';
import { describe, expect, test } from 'vitest';
import { MomentProcessor } from './moment-processor.ts';

const minute = 60_000;
const createdAt = Date.parse('2026-01-01T00:00:00Z');
const first = createdAt + minute;

const target = {
  name: 'report',
  url: 'http://report',
  queue: 'default',
  timeoutMs: 0,
  concurrency: undefined,
  maxPending: undefined,
  adaptive: true,
  retry: { attempts: 0, minWaitMs: 0, maxWaitMs: 0, backoff: undefined, codes: undefined },
};

function entryOf(settings: Partial<ScheduleEntry['settings']> = {}): ScheduleEntry {
  return {
    name: 'tick',
    source: 'api',
    paused: false,
    createdAt,
    series: 's',
    settings: { function: 'report', every: '1m', ...settings },
    template: { path: '', query: '', headers: [] },
  };
}

interface Situation {
  readonly settings?: Partial<ScheduleEntry['settings']>;
  readonly moment?: Partial<Moment>;
  /** How late it is. */
  readonly lateMs?: number;
  readonly deliveries?: number;
  readonly known?: boolean;
  readonly accepted?: AcceptResult;
  readonly followed?: 'stored' | 'conflict' | 'unavailable';
  readonly isObsolete?: boolean;
  readonly before?: readonly ScheduleRun[];
  /** Whether the call before has not ended. */
  readonly isRunning?: boolean;
  readonly isRegistered?: boolean;
}

const stored: AcceptResult = { kind: 'stored', sequence: 1, duplicate: false };

/** Deals with one moment, and tells what was done. */
async function deal(situation: Situation) {
  const { settings, lateMs = 20, deliveries = 1, followed = 'stored', isRegistered = true } = situation;
  const accepts: { call: Call; options: AcceptOptions }[] = [];
  const steps: MomentStep[] = [];
  const settled: (string | number | undefined)[] = [];
  const counted: [string, number][] = [];
  const moment: Moment = { v: 1, name: 'tick', series: 's', at: first, ...situation.moment };
  const now = first + lateMs;
  const running: Call = { ...toRunning(situation.before?.[0]) };
  const processor = new MomentProcessor({
    store: {
      basisOf: async () =>
        situation.isObsolete ? { kind: 'obsolete' } : { kind: 'current', entry: entryOf(settings), basis: 7 },
      readRuns: async () => ({ runs: situation.before ?? [], sequence: 3 }),
      follow: async (step) => {
        steps.push(step);
        return followed === 'stored'
          ? { kind: 'stored', sequence: 8, duplicate: false }
          : { kind: 'refused', reason: followed, detail: '' };
      },
    },
    queue: {
      accept: async (call, options) => {
        accepts.push({ call, options });
        return situation.accepted ?? stored;
      },
      isKnown: async () => situation.known ?? false,
    },
    calls: {
      findQueued: async () => (situation.isRunning ? running : undefined),
      findOutcome: async () => undefined,
    },
    lookup: () => (isRegistered ? target : undefined),
    onStored: () => undefined,
    metrics: { moments: (result, count) => void counted.push([result, count]) },
    logger: createLogger({ name: 'test', level: 'error', format: 'json', destination: { write: () => undefined } }),
    now: () => now,
  });
  const delivery: MomentDelivery = {
    task: moment,
    streamSequence: 7,
    deliveries,
    dueSince: `${first}000000`,
    ack: () => void settled.push('ack'),
    nak: (delayMs) => void settled.push(delayMs ?? 0),
    inProgress: () => undefined,
  };
  await processor.process(delivery, moment);
  return {
    accepts,
    next: steps.map(({ next }) => next?.moment),
    runs: steps.map(({ run }) => run?.added),
    settled,
    counted,
  };
}

function toRunning(run: ScheduleRun | undefined): Call {
  const { callId: id = 'x', startTime = '1', queue = 'default' } = run ?? {};
  return {
    id,
    function: 'report',
    queue,
    path: '',
    query: '',
    headers: [],
    startTime,
    retry: 0,
    body: new Uint8Array(),
  };
}

function momentAt(count: number, more: Partial<Moment> = {}): Moment {
  return { v: 1, name: 'tick', series: 's', at: createdAt + count * minute, ...more };
}

function runOf(count: number): ScheduleRun {
  const at = createdAt + count * minute;
  return { callId: scheduledCallId('tick', at), startTime: `${first}000000`, at, function: 'report', queue: 'default' };
}

test('a moment stores its call, then the next moment, and is acked last', async () => {
  const { accepts, next, runs, settled, counted } = await deal({});
  expect(accepts).toMatchObject([
    {
      call: { id: scheduledCallId('tick', first), startTime: `${first}000000` },
      options: { derived: true, unique: false },
    },
  ]);
  expect({ next, runs, settled, counted }).toEqual({
    next: [momentAt(2)],
    runs: [runOf(1)],
    settled: ['ack'],
    counted: [['fired', 1]],
  });
});

test('an obsolete moment is acked, and nothing else', async () => {
  expect(await deal({ isObsolete: true })).toMatchObject({ accepts: [], next: [], settled: ['ack'] });
});

describe('after a worker has died', () => {
  test.each<[string, AcceptResult]>([
    ['by its id', { kind: 'replayed', earlier: { callId: 'x', startTime: `${first}000000` } }],
    ['in its queue', { kind: 'refused', reason: 'conflict', detail: '' }],
  ])('a call that is found %s does not count as another one', async (_, accepted) => {
    const { next, runs, settled, counted, accepts } = await deal({ deliveries: 2, accepted });
    expect({ next, runs, settled, counted }).toEqual({
      next: [momentAt(2)],
      runs: [runOf(1)],
      settled: ['ack'],
      counted: [],
    });
    expect(accepts[0]?.options.unique).toBe(true);
  });

  test('a moment that is late by then is not missed if its call is known', async () => {
    const late = { settings: { catchUp: 'none' } as const, deliveries: 2, lateMs: 3 * minute + 10_000 };
    expect(await deal({ ...late, known: true })).toMatchObject({ next: [momentAt(2)], runs: [runOf(1)] });
    expect(await deal(late)).toMatchObject({ next: [momentAt(5)], runs: [undefined], counted: [['missed', 4]] });
  });
});

test('moments that are missed are made up for as the schedule says', async () => {
  const lateMs = 2 * minute + 10_000;
  expect(await deal({ lateMs })).toMatchObject({
    runs: [runOf(3)],
    next: [momentAt(4)],
    counted: [
      ['missed', 2],
      ['fired', 1],
    ],
  });
  expect(await deal({ lateMs, settings: { catchUp: 'all' } })).toMatchObject({ runs: [runOf(1)], next: [momentAt(2)] });
  expect(await deal({ lateMs, settings: { catchUp: 'none' } })).toMatchObject({ accepts: [], next: [momentAt(4)] });
});

test('a call that cannot be stored yet is tried again, and nothing is passed over', async () => {
  const accepted = { kind: 'refused', reason: 'queue_full', detail: '' } as const;
  expect(await deal({ accepted })).toMatchObject({ next: [], settled: [500], counted: [] });
  expect(await deal({ accepted, deliveries: 50 })).toMatchObject({ settled: [5_000] });
});

test('a moment whose call can never be stored is passed over', async () => {
  const tooLarge = await deal({ accepted: { kind: 'refused', reason: 'too_large', detail: '' } });
  const gone = await deal({ isRegistered: false });
  for (const { next, runs, settled, counted } of [tooLarge, gone]) {
    expect({ next, runs, settled, counted }).toEqual({
      next: [momentAt(2)],
      runs: [undefined],
      settled: ['ack'],
      counted: [['failed', 1]],
    });
  }
});

test('if something has changed in the meantime, it is decided again; if the broker is away, later', async () => {
  expect(await deal({ followed: 'conflict' })).toMatchObject({ settled: [0] });
  expect(await deal({ followed: 'unavailable' })).toMatchObject({ settled: [500] });
});

describe('while the call before has not ended', () => {
  const busy = { before: [runOf(0)], isRunning: true };

  test('allow calls, skip does not, and queue waits once', async () => {
    expect((await deal(busy)).runs).toEqual([runOf(1)]);
    expect(await deal({ ...busy, settings: { overlap: 'skip' } })).toMatchObject({
      accepts: [],
      next: [momentAt(2)],
      counted: [['skipped', 1]],
    });
    const queue = { ...busy, settings: { overlap: 'queue' } as const };
    expect(await deal(queue)).toMatchObject({ accepts: [], next: [momentAt(1, { waiting: true })], settled: ['ack'] });
    expect(await deal({ ...queue, moment: { waiting: true } })).toMatchObject({ next: [], settled: [500] });
  });

  test('a moment that has waited is called however late it is, and those that came since are skipped', async () => {
    const waited = { settings: { overlap: 'queue', catchUp: 'none' } as const, moment: { waiting: true } };
    const { runs, next, counted } = await deal({
      ...waited,
      before: [runOf(0)],
      lateMs: 2 * minute + 10_000,
      deliveries: 9,
    });
    expect({ runs, next }).toEqual({ runs: [runOf(1)], next: [momentAt(4)] });
    expect(counted).toEqual([
      ['fired', 1],
      ['skipped', 1],
    ]);
  });

  test('a moment is not in its own way', async () => {
    expect((await deal({ before: [runOf(1)], isRunning: true, settings: { overlap: 'skip' } })).runs).toEqual([
      runOf(1),
    ]);
  });
});
