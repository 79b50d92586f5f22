import { eventually } from '@asyncfn/testkit';
import { beforeEach, describe, expect, inject, test } from 'vitest';
import { CallStore, Publisher, QueueInspector } from '../src/jetstream/index.ts';
import { uniqueQueue } from './connected.ts';
import {
  buildCall,
  functionConfig,
  type GatewaySide,
  startGatewaySide,
  startWorkerSide,
  type WorkerSide,
} from './harness.ts';

let queue: string;
let name: string;

beforeEach(() => {
  queue = uniqueQueue();
  name = `fn-${queue}`;
});

async function startSides() {
  const options = { queues: [queue], functions: [functionConfig(name, queue), functionConfig('other', queue)] };
  const gateway = await startGatewaySide(inject('natsUrl'), options);
  const worker = await startWorkerSide(inject('natsUrl'), options);
  return {
    gateway,
    worker,
    inspector: new QueueInspector(gateway.topology),
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

async function accept({ queue: calls }: GatewaySide, count: number, of = name): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    expect(await calls.accept(buildCall(queue, { function: of }), { unique: false })).toMatchObject({ kind: 'stored' });
  }
}

async function take({ source, deliveries }: WorkerSide, count: number): Promise<void> {
  const before = deliveries.length;
  source.request({ queue, function: name }, count, 5_000);
  await eventually(() => deliveries.length === before + count);
}

/** Hands the first delivery back for an hour. */
async function retryLater({ broker, topology, deliveries }: WorkerSide): Promise<void> {
  const store = new CallStore(new Publisher(broker), topology);
  const delivery = deliveries[0]!;
  const next = { ...buildCall(queue, { function: name, id: delivery.callId }), retry: 1 };
  expect(await store.scheduleRetry(delivery, next, Date.now() + 3_600_000)).toMatchObject({ kind: 'stored' });
  delivery.ack();
}

describe('the load of a function', () => {
  test('is zero for one without calls, even if it has no consumer', async () => {
    await using sides = await startSides();
    expect(await sides.inspector.load(name)).toEqual({ pending: 0, inFlight: 0, oldestAtMs: undefined });
  });

  test('counts waiting calls and those in flight, and nothing of other functions', async () => {
    await using sides = await startSides();
    const startedAt = Date.now();
    await accept(sides.gateway, 5);
    await accept(sides.gateway, 3, 'other');
    await take(sides.worker, 2);
    const { pending, inFlight, oldestAtMs } = await sides.inspector.load(name);
    expect([pending, inFlight]).toEqual([3, 2]);
    expect(Math.abs(oldestAtMs! - startedAt)).toBeLessThan(60_000);
  });

  test('tells since when the oldest call waits, and not since when one is in flight', async () => {
    await using sides = await startSides();
    await accept(sides.gateway, 1);
    await take(sides.worker, 1);
    expect((await sides.inspector.load(name)).oldestAtMs).toBeUndefined();
    const between = Date.now();
    await accept(sides.gateway, 2);
    // Two clocks in one machine are one clock.
    expect((await sides.inspector.load(name)).oldestAtMs).toBeGreaterThanOrEqual(between - 1);
  });

  test('leaves out a retry that waits for its time, unlike its calls and its queue', async () => {
    await using sides = await startSides();
    await accept(sides.gateway, 2);
    await take(sides.worker, 1);
    await retryLater(sides.worker);
    await eventually(async () => (await sides.inspector.load(name)).inFlight === 0);
    expect(await sides.inspector.load(name)).toMatchObject({ pending: 1, inFlight: 0 });
    expect(await sides.inspector.countCalls(name)).toBe(2);
    expect(await sides.inspector.find(queue)).toMatchObject({ depth: 1, scheduled: 1, inFlight: 0 });
  });

  test('is that of all queues in which it has calls', async () => {
    const otherQueue = uniqueQueue();
    await using sides = await startSides();
    await accept(sides.gateway, 2);
    await sides.gateway.queue.accept(buildCall(otherQueue, { function: name }), { unique: false });
    expect(await sides.inspector.load(name)).toMatchObject({ pending: 3 });
    expect(await sides.inspector.countCalls(name)).toBe(3);
  });
});

describe('a queue', () => {
  test('has its backlog, its calls in flight, and the room that it takes', async () => {
    await using sides = await startSides();
    await accept(sides.gateway, 4);
    await accept(sides.gateway, 3, 'other');
    await take(sides.worker, 1);
    const state = await sides.inspector.find(queue);
    expect(state).toMatchObject({ queue, depth: 6, inFlight: 1, scheduled: 0, replicas: 1 });
    expect(state!.bytes).toBeGreaterThan(7 * 50);
    expect(state!.lanes).toHaveLength(2);
    expect((await sides.inspector.list()).map((each) => each.queue)).toContain(queue);
    expect((await sides.inspector.count()).find((each) => each.queue === queue)).toEqual({ queue, stored: 7, held: 7 });
  });

  test('that does not exist is undefined', async () => {
    await using sides = await startSides();
    expect(await sides.inspector.find(uniqueQueue())).toBeUndefined();
  });
});
