import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { Broker, Publisher, QueueTopology, RateStore } from '@asyncfn/queue-core/jetstream';
import { createLogger } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import type { Rate } from '@asyncfn/units';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { RateShare, type Start } from '../src/rates/rate-share.ts';

let server: NatsServer;

beforeAll(async () => {
  server = await startNatsServer({ bin: inject('natsServerBin') });
});

afterAll(() => server.stop());

const logger = createLogger({ name: 'test', level: 'silent', format: 'json' });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

interface Worker extends AsyncDisposable {
  readonly store: RateStore;
  readonly broker: Broker;
  open(name: string, rate: Rate, options?: { ackWaitMs?: number }): RateShare;
  /** As a worker that dies: nothing is given back. */
  die(): Promise<void>;
}

let opened = 0;

/** A worker with a connection of its own, of which there are only the shares. */
async function startWorker(): Promise<Worker> {
  const broker = new Broker({ servers: [server.url], name: 'test', logger, onFatal: () => {} });
  const options = { replicas: 1, ackWaitMs: 30_000, ownsLanes: true, queues: () => [], logger, onFatal: () => {} };
  const topology = new QueueTopology(broker, options);
  const store = new RateStore(new Publisher(broker), topology);
  broker.start();
  await eventually(() => topology.ready && broker.clock.earliest() > 0);
  const shares: RateShare[] = [];
  return {
    store,
    broker,
    open(name, rate, { ackWaitMs = 3_000 } = {}) {
      opened += 1;
      const { earliest } = broker.clock;
      const id = `share-${opened}`;
      const share = new RateShare({ name, id, rate, store, ackWaitMs, onRoom: () => {}, logger, earliest });
      shares.push(share);
      return share;
    },
    async die() {
      for (const share of shares.splice(0)) {
        share.shut();
      }
      await broker.stop();
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(shares.map((share) => share.close()));
      await broker.stop();
    },
  };
}

/** Uses starts for calls of some milliseconds as fast as it gets them, until so many calls have been made. */
async function work(share: RateShare, times: number[], calls: number): Promise<void> {
  while (times.length < calls) {
    share.demand = calls - times.length;
    const start = share.reserveNow();
    if (start === undefined || !start.begin()) {
      await sleep(3);
      continue;
    }
    times.push(performance.now());
    start.sent();
    void sleep(2).then(() => start.ended());
  }
  share.demand = 0;
}

function mostIn(times: readonly number[], windowMs: number): number {
  const sorted = times.toSorted((one, other) => one - other);
  return Math.max(...sorted.map((at, index) => sorted.slice(index).filter((each) => each < at + windowMs).length));
}

async function reserved(share: RateShare): Promise<Start | undefined> {
  return await share.reserve();
}

async function heldBy(store: RateStore, name: string): Promise<number> {
  const { ledger } = await store.read(name);
  return [...ledger.holders.values()].reduce((sum, { held }) => sum + held, 0);
}

test('workers share the starts of a rate, and no window of its length has more than these', async () => {
  await using one = await startWorker();
  await using two = await startWorker();
  await using three = await startWorker();
  const rate = { count: 12, periodMs: 300 };
  const times: number[] = [];
  const shares = [one, two, three].map((worker) => worker.open('shared', rate));
  await Promise.all(shares.map((share) => work(share, times, 120)));
  expect(mostIn(times, 300)).toBeLessThanOrEqual(12);
  // What is not needed goes back.
  await eventually(async () => (await heldBy(one.store, 'shared')) === 0);
});

test('a start is taken for a call that comes, and there is none as long as others have them', async () => {
  await using one = await startWorker();
  await using two = await startWorker();
  const rate = { count: 1, periodMs: 60_000 };
  const [mine, theirs] = [one.open('single', rate), two.open('single', rate)];
  expect([mine.room, theirs.room]).toEqual([1, 1]);
  const start = await reserved(mine);
  expect(start?.begin()).toBe(true);
  expect(await reserved(theirs)).toBeUndefined();
  expect([theirs.room, theirs.waiting]).toEqual([0, 1]);
  // A start that was used stays taken for its period, even after its worker has given it back.
  start?.sent();
  start?.ended();
  await mine.close();
  expect(await heldBy(one.store, 'single')).toBe(0);
  expect(await reserved(two.open('single', rate))).toBeUndefined();
});

test('a start that was not used is free as soon as its worker gives it back', async () => {
  await using one = await startWorker();
  await using two = await startWorker();
  const rate = { count: 1, periodMs: 60_000 };
  const mine = one.open('unused', rate);
  (await reserved(mine))?.release();
  await mine.close();
  expect((await reserved(two.open('unused', rate)))?.begin()).toBe(true);
});

test('the starts of a worker that has died are free after its lease', async () => {
  const one = await startWorker();
  await using two = await startWorker();
  const rate = { count: 1, periodMs: 200 };
  const start = await reserved(one.open('orphan', rate));
  expect(start?.begin()).toBe(true);
  const diedAt = performance.now();
  await one.die();
  const theirs = two.open('orphan', rate);
  expect(await reserved(theirs)).toBeUndefined();
  await eventually(() => theirs.room > 0);
  // A lease of a second, a second for the clocks of servers, the period. The lease is from before it died.
  expect(performance.now() - diedAt).toBeGreaterThan(1_200);
});

test('a worker that is cut off from the broker uses no start after its lease', async () => {
  await using one = await startWorker();
  const share = one.open('cut-off', { count: 5, periodMs: 100 });
  const start = await reserved(share);
  share.demand = 2;
  await eventually(() => share.room > 0);
  await one.broker.stop();
  await eventually(() => share.room === 0);
  expect(share.held).toBeGreaterThan(0);
  expect(start?.begin()).toBe(false);
});

describe('a change of the rate', () => {
  test('counts at once for starts that are held, cold or hot', async () => {
    await using one = await startWorker();
    const share = one.open('changed', { count: 1, periodMs: 3_600_000 });
    const start = await reserved(share);
    start?.begin();
    start?.sent();
    start?.ended();
    share.demand = 10;
    await eventually(() => share.held === 0 || share.room === 0);
    share.rate = { count: 10, periodMs: 100 };
    await eventually(() => share.room > 1);
  });

  test('to less than what is held makes workers give back the rest', async () => {
    await using one = await startWorker();
    await using two = await startWorker();
    const rate = { count: 20, periodMs: 100 };
    const shares = [one.open('lowered', rate), two.open('lowered', rate)];
    for (const share of shares) {
      share.demand = 100;
    }
    await eventually(async () => (await heldBy(one.store, 'lowered')) === 20);
    for (const share of shares) {
      share.rate = { count: 3, periodMs: 100 };
    }
    await eventually(async () => (await heldBy(one.store, 'lowered')) <= 3);
  });
});
