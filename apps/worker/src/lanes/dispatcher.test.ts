import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { Delivery, LaneId } from '@asyncfn/queue-core/jetstream';
import { eventually } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import type { LaneGate } from '../limiter/lane-gate.ts';
import type { RateShares } from '../rates/index.ts';
import { type CallRequests, Dispatcher } from './dispatcher.ts';

const echo: LaneId = { queue: 'default', function: 'echo' };
const slow: LaneId = { queue: 'default', function: 'slow' };

const config: FunctionConfig = {
  name: 'echo',
  url: 'http://function.test',
  queue: 'default',
  timeoutMs: 0,
  concurrency: undefined,
  maxPending: undefined,
  adaptive: false,
  retry: { attempts: undefined, minWaitMs: undefined, maxWaitMs: undefined, backoff: undefined, codes: undefined },
};

interface AskedFor {
  readonly function: string;
  readonly count: number;
  readonly expiresMs: number;
}

/** Functions of these tests have no rate. */
const noRates: RateShares = {
  open: () => expect.fail('no function has a rate'),
  close: () => expect.fail('no function has a rate'),
  component: { name: 'rates' },
};

/** A source that records the requests, and forgets them like one whose consumer is gone. */
class TestSource implements CallRequests {
  readonly requests: AskedFor[] = [];
  readonly #open = new Map<string, number>();

  open({ function: name }: LaneId): number {
    return this.#open.get(name) ?? 0;
  }

  request({ function: name }: LaneId, count: number, expiresMs: number): void {
    this.requests.push({ function: name, count, expiresMs });
    this.#open.set(name, this.open({ queue: '', function: name }) + count);
  }

  /** A call arrives for a request. */
  paid(lane: LaneId): void {
    this.#open.set(lane.function, this.open(lane) - 1);
  }

  forget(): void {
    this.#open.clear();
  }
}

let lastSequence = 0;

/** A call that has arrived; each is a different one, unless `changes` say otherwise. */
function createDelivery(lane: LaneId, pending: number, changes: { callId?: string; sequence?: number } = {}): Delivery {
  lastSequence += 1;
  const { callId = `call-${lastSequence}`, sequence: streamSequence = lastSequence } = changes;
  const nothing = (): void => {};
  return {
    queue: lane.queue,
    function: lane.function,
    callId,
    startTime: '1700000000000000000',
    info: { stream: 'CALLS_default', consumer: '', deliveries: 1, streamSequence, storedAtMs: 0, pending },
    call: { kind: 'undecodable', problem: 'of no importance here' },
    rawHeader: '',
    rawBody: new Uint8Array(),
    settled: false,
    ack: nothing,
    nak: nothing,
    inProgress: nothing,
    dropBody: nothing,
    term: nothing,
    redelivered: nothing,
  };
}

/** Requests are planned once in each tick of the event loop. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

interface Run {
  readonly config: FunctionConfig | undefined;
  readonly gate: LaneGate;
  end(): void;
}

class Bench {
  readonly source = new TestSource();
  readonly runs: Run[] = [];
  readonly handedBack: Delivery[] = [];
  readonly heldBack: Delivery[] = [];
  readonly dispatcher: Dispatcher;

  constructor(slots: number) {
    this.dispatcher = new Dispatcher(this.source, {
      slots,
      run: (_, target, gate) => new Promise((end) => this.runs.push({ config: target, gate: gate as LaneGate, end })),
      rates: noRates,
      handBack: (delivery) => this.handedBack.push(delivery),
      holdBack: (delivery) => this.heldBack.push(delivery),
    });
  }

  /** A call arrives, and so many more wait. */
  deliver(lane: LaneId, pending: number): void {
    this.source.paid(lane);
    this.dispatcher.accept(createDelivery(lane, pending));
  }
}

async function openBench(slots = 10, lanes = [echo], changes: Partial<FunctionConfig> = {}): Promise<Bench> {
  const bench = new Bench(slots);
  for (const lane of lanes) {
    bench.dispatcher.open(lane, { ...config, ...changes });
  }
  await nextTurn();
  return bench;
}

describe('a lane that is opened', () => {
  test('asks for its first call, and may wait for it', async () => {
    const { source } = await openBench();
    expect(source.requests).toEqual([{ function: 'echo', count: 1, expiresMs: 15_000 }]);
  });

  test('again asks for nothing more while its request stands', async () => {
    const { dispatcher, source } = await openBench();
    dispatcher.open(echo, config);
    await nextTurn();
    expect(source.requests).toHaveLength(1);
  });

  test('again asks again if its request was lost with its consumer', async () => {
    const { dispatcher, source } = await openBench();
    source.forget();
    dispatcher.open(echo, config);
    await nextTurn();
    expect(source.requests).toHaveLength(2);
  });

  test('again has its new settings for the calls that come from then on', async () => {
    const { dispatcher, runs, ...bench } = await openBench();
    dispatcher.accept(createDelivery(echo, 0));
    dispatcher.open(echo, { ...config, url: 'http://moved.test' });
    dispatcher.accept(createDelivery(echo, 0));
    dispatcher.open(echo, undefined);
    dispatcher.accept(createDelivery(echo, 0));
    expect(runs.map((run) => run.config?.url)).toEqual(['http://function.test', 'http://moved.test', undefined]);
    expect(bench.handedBack).toEqual([]);
  });
});

describe('a lane with a backlog', () => {
  test('asks for as many calls as there are slots, in one request', async () => {
    const bench = await openBench(10);
    bench.deliver(echo, 100);
    await nextTurn();
    expect(bench.source.requests.slice(1)).toEqual([{ function: 'echo', count: 9, expiresMs: 0 }]);
  });

  test('asks for no more than its function may have', async () => {
    const bench = await openBench(10, [echo], { concurrency: 3 });
    bench.deliver(echo, 100);
    await nextTurn();
    expect(bench.source.requests.slice(1)).toEqual([{ function: 'echo', count: 2, expiresMs: 0 }]);
  });

  test('asks once for all calls that end in one tick', async () => {
    const bench = await openBench(3);
    bench.deliver(echo, 100);
    await nextTurn();
    bench.deliver(echo, 99);
    bench.deliver(echo, 98);
    await nextTurn();
    expect(bench.source.requests).toHaveLength(2);
    for (const run of bench.runs) {
      run.end();
    }
    await nextTurn();
    await nextTurn();
    expect(bench.source.requests.slice(2)).toMatchObject([{ count: 1 }, { count: 2 }]);
  });

  test('that has taken every slot leaves another one its first call (P5)', async () => {
    const bench = await openBench(2, [echo, slow]);
    bench.deliver(echo, 100);
    await nextTurn();
    bench.deliver(echo, 99);
    bench.deliver(slow, 100);
    await nextTurn();
    expect(bench.runs).toHaveLength(3);
    expect(bench.source.requests.slice(3)).toEqual([]);
  });

  test('that turns out to be gone asks for one call, and waits for it', async () => {
    const bench = await openBench();
    bench.deliver(echo, 5);
    await nextTurn();
    bench.runs[0]?.end();
    bench.source.forget();
    bench.dispatcher.unfilled(echo);
    await nextTurn();
    expect(bench.source.requests.at(-1)).toEqual({ function: 'echo', count: 1, expiresMs: 15_000 });
  });
});

describe('a lane with a limiter', () => {
  test('asks for no more than the limiter allows, and for more as it grows', async () => {
    const bench = await openBench(100, [echo], { adaptive: true });
    bench.deliver(echo, 500);
    const first = await bench.runs[0]?.gate.enter();
    await nextTurn();
    expect(bench.source.requests.slice(1)).toEqual([{ function: 'echo', count: 9, expiresMs: 0 }]);
    expect(bench.runs[0]?.gate.limit).toBe(10);
    await new Promise((resolve) => setTimeout(resolve, 60));
    first?.leave('taken');
    await nextTurn();
    await nextTurn();
    // One for the call that was taken, and those that the limit has grown by, although that call is still in flight.
    await eventually(() => bench.source.requests.length > 2);
    expect(bench.runs[0]?.gate.limit).toBe(14);
  });

  test('does not let its function starve if that takes nothing at all', async () => {
    const bench = await openBench(100, [echo], { adaptive: true });
    for (let round = 0; round < 3; round++) {
      bench.deliver(echo, 0);
      const run = bench.runs.at(-1);
      (await run?.gate.enter())?.leave('rejected');
      run?.end();
      await eventually(() => bench.source.open(echo) === 1);
    }
    expect(bench.runs).toHaveLength(3);
  });
});

describe('a lane without a slot to ask with', () => {
  test('has an unknown backlog, and asks once the backlog is counted and a slot is free', async () => {
    const bench = await openBench(1);
    bench.deliver(echo, 0);
    await nextTurn();
    expect(bench.dispatcher.lanesWithUnknownBacklog()).toMatchObject([echo]);
    bench.dispatcher.counted(echo, 3);
    await nextTurn();
    expect(bench.source.requests).toHaveLength(1);
    bench.runs[0]?.end();
    await nextTurn();
    await nextTurn();
    expect(bench.source.open(echo)).toBe(1);
  });
});

describe('a call', () => {
  test('without a lane goes back', async () => {
    const bench = await openBench();
    bench.dispatcher.accept(createDelivery(slow, 0));
    expect(bench.handedBack.map((delivery) => delivery.function)).toEqual(['slow']);
    expect(bench.dispatcher.running).toBe(0);
  });

  test('runs on when its lane is closed, which asks for no more', async () => {
    const bench = await openBench();
    bench.deliver(echo, 5);
    bench.dispatcher.close(echo);
    await nextTurn();
    expect([...bench.dispatcher.lanes()]).toEqual([]);
    expect(bench.dispatcher.running).toBe(1);
    bench.runs[0]?.end();
    await bench.dispatcher.whenIdle();
    await nextTurn();
    expect(bench.source.requests).toHaveLength(1);
  });

  test('that comes after a stop goes back, calls in flight run on, and nothing is asked for', async () => {
    const bench = await openBench();
    bench.deliver(echo, 5);
    bench.dispatcher.stop();
    bench.deliver(echo, 4);
    await nextTurn();
    expect(bench.handedBack).toHaveLength(1);
    let idle = false;
    const whenIdle = bench.dispatcher.whenIdle().then(() => {
      idle = true;
    });
    await nextTurn();
    expect(idle).toBe(false);
    bench.runs[0]?.end();
    await whenIdle;
    await nextTurn();
    expect(bench.source.requests).toHaveLength(1);
  });
});

describe('a call in flight', () => {
  test('that is delivered once more runs once, and is not handed back either', async () => {
    const { dispatcher, runs, handedBack } = await openBench();
    const again = { callId: 'a', sequence: 1 };
    dispatcher.accept(createDelivery(echo, 0, again));
    dispatcher.accept(createDelivery(echo, 0, again));
    dispatcher.stop();
    dispatcher.accept(createDelivery(echo, 0, again));
    expect([runs.length, handedBack.length, dispatcher.running]).toEqual([1, 0, 1]);
    runs[0]?.end();
    await dispatcher.whenIdle();
    expect(dispatcher.running).toBe(0);
  });

  test('runs again when it is delivered after its end', async () => {
    const { dispatcher, runs } = await openBench();
    const again = { callId: 'a', sequence: 1 };
    dispatcher.accept(createDelivery(echo, 0, again));
    runs[0]?.end();
    await dispatcher.whenIdle();
    dispatcher.accept(createDelivery(echo, 0, again));
    expect(runs).toHaveLength(2);
  });

  test('is not confused with another one in a stream that was created again', async () => {
    const { dispatcher, runs } = await openBench();
    dispatcher.accept(createDelivery(echo, 0, { callId: 'a', sequence: 1 }));
    dispatcher.accept(createDelivery(echo, 0, { callId: 'b', sequence: 1 }));
    expect(runs).toHaveLength(2);
  });
});

test('calls that wait for a limiter wait no longer when their lane is closed', async () => {
  const bench = await openBench(100, [echo], { adaptive: true });
  bench.deliver(echo, 500);
  const gate = bench.runs[0]?.gate;
  for (let sent = 0; sent < 10; sent++) {
    await gate?.enter();
  }
  const waiting = gate?.enter();
  bench.dispatcher.close(echo);
  expect(await waiting).toBeDefined();
});

test('calls that wait for a limiter wait no longer after a stop', async () => {
  const bench = await openBench(100, [echo], { adaptive: true });
  bench.deliver(echo, 500);
  const gate = bench.runs[0]?.gate;
  for (let sent = 0; sent < 10; sent++) {
    await gate?.enter();
  }
  const waiting = gate?.enter();
  bench.dispatcher.stop();
  expect(await waiting).toBeUndefined();
});

test('after a new connection every lane asks again', async () => {
  const bench = await openBench(10, [echo, slow]);
  bench.source.forget();
  bench.dispatcher.restart();
  await nextTurn();
  expect(bench.source.requests.slice(2).map((request) => request.function)).toEqual(['echo', 'slow']);
});

test.each([
  ['delivered once by a consumer that is older', 1, 10_000, 1_000, true],
  ['delivered again', 2, 10_000, 1_000, false],
  ['older than its consumer, which so counts deliveries from one', 1, 1_000, 10_000, false],
  ['stored in the millisecond in which its consumer was created', 1, 10_000.4, 10_000, true],
  ['delivered by a consumer of which nothing is known', 1, 10_000, undefined, false],
])(
  'a call that is %s may have been with a worker before, or not',
  async (_, deliveries, storedAtMs, createdAt, isFirst) => {
    const seen: boolean[] = [];
    const dispatcher = new Dispatcher(new TestSource(), {
      slots: 10,
      run: async (_delivery, _config, _gate, first) => void seen.push(first),
      rates: noRates,
      handBack: () => {},
      holdBack: () => {},
    });
    dispatcher.open(echo, config, { createdAt });
    const delivery = createDelivery(echo, 0);
    const info = { ...delivery.info, deliveries, storedAtMs };
    dispatcher.accept({ ...delivery, info });
    dispatcher.lost(echo);
    dispatcher.accept({ ...delivery, info, callId: 'another' });
    dispatcher.open(echo, config, { createdAt });
    dispatcher.restart();
    dispatcher.accept({ ...delivery, info, callId: 'a third' });
    expect(seen).toEqual([isFirst, false, false]);
  },
);

describe('a lane that is paused', () => {
  test('asks for nothing, and for its first call at once when it is resumed', async () => {
    const bench = new Bench(10);
    bench.dispatcher.open(echo, config, { paused: true });
    await nextTurn();
    expect(bench.source.requests).toEqual([]);
    bench.dispatcher.open(echo, config, { paused: false });
    await nextTurn();
    expect(bench.source.requests).toMatchObject([{ function: 'echo', count: 1 }]);
  });

  test('runs no call that comes all the same, and lets those in flight finish', async () => {
    const bench = await openBench();
    bench.deliver(echo, 5);
    bench.dispatcher.open(echo, config, { paused: true });
    await nextTurn();
    const { length } = bench.source.requests;
    bench.deliver(echo, 4);
    await nextTurn();
    expect([bench.runs.length, bench.heldBack.length, bench.handedBack.length]).toEqual([1, 1, 0]);
    bench.runs[0]?.end();
    await nextTurn();
    expect(bench.source.requests).toHaveLength(length);
    expect(bench.dispatcher.running).toBe(0);
  });
});
