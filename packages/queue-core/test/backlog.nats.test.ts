import { eventually } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { queueStream, scheduledFilter } from '../src/call/subjects.ts';
import { BacklogReader, CallStore, Publisher } from '../src/jetstream/index.ts';
import { uniqueQueue } from './connected.ts';
import { buildCall, functionConfig, startGatewaySide, startWorkerSide } from './harness.ts';

async function startSides() {
  const queue = uniqueQueue();
  const [busy, idle] = [`busy-${queue}`, `idle-${queue}`];
  const options = { queues: [queue], functions: [functionConfig(busy, queue), functionConfig(idle, queue)] };
  const gateway = await startGatewaySide(inject('natsUrl'), options);
  const worker = await startWorkerSide(inject('natsUrl'), options);
  const requests: string[] = [];
  const { connection } = gateway.broker;
  const request = connection!.request.bind(connection);
  connection!.request = (subject, ...rest) => {
    requests.push(subject);
    return request(subject, ...rest);
  };
  const clock = { ms: 0 };
  const reader = new BacklogReader(gateway.topology, () => clock.ms);
  return {
    queue,
    busy,
    idle,
    gateway,
    worker,
    clock,
    look: () => reader.read((each) => each === queue),
    /** Requests about single calls since the last time. */
    takeQuestions: () => requests.splice(0).filter((subject) => subject.includes('DIRECT.GET')).length,
    /** All requests since the last time. */
    takeRequests: () => requests.splice(0).length,
    async [Symbol.asyncDispose]() {
      await worker[Symbol.asyncDispose]();
      await gateway[Symbol.asyncDispose]();
    },
  };
}

type Sides = Awaited<ReturnType<typeof startSides>>;

async function accept({ gateway, queue }: Sides, name: string, count: number): Promise<void> {
  for (let sent = 0; sent < count; sent++) {
    const call = buildCall(queue, { function: name });
    expect(await gateway.queue.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
  }
}

async function take({ worker, queue }: Sides, name: string, count: number): Promise<void> {
  const before = worker.deliveries.length;
  worker.source.request({ queue, function: name }, count, 5_000);
  await eventually(() => worker.deliveries.length === before + count);
}

test('waiting calls are counted by function, with the age of the oldest, and scheduled ones by queue', async () => {
  await using sides = await startSides();
  const { queue, busy, idle, worker } = sides;
  const startedAt = Date.now();
  await accept(sides, busy, 3);
  await accept(sides, idle, 1);
  await take(sides, busy, 1);
  await take(sides, idle, 1);
  const store = new CallStore(new Publisher(worker.broker), worker.topology);
  const [, idleDelivery] = worker.deliveries;
  const next = { ...buildCall(queue, { function: idle, id: idleDelivery!.callId }), retry: 1 };
  expect(await store.scheduleRetry(idleDelivery!, next, Date.now() + 3_600_000)).toMatchObject({ kind: 'stored' });
  idleDelivery!.ack();

  // An idempotency key is in the same stream, and is not a call.
  const keyed = buildCall(queue, { function: busy });
  expect(await sides.gateway.queue.accept(keyed, { unique: false, key: 'once' })).toMatchObject({ kind: 'stored' });

  await eventually(async () => expect((await sides.look()).scheduled).toEqual([{ queue, count: 1 }]));
  const { lanes } = await sides.look();
  expect(lanes.toSorted((a, b) => a.function.localeCompare(b.function))).toEqual([
    { queue, function: busy, pending: 3, oldestAtMs: expect.any(Number) },
    { queue, function: idle, pending: 0, oldestAtMs: undefined },
  ]);
  expect(lanes.find(({ pending }) => pending > 0)?.oldestAtMs).toBeGreaterThanOrEqual(startedAt - 1_000);
});

test('the oldest call is requested once, until it is handed out or long ago', async () => {
  await using sides = await startSides();
  await accept(sides, sides.busy, 3);
  await sides.look();
  expect(sides.takeQuestions()).toBe(1);
  await sides.look();
  expect(sides.takeQuestions()).toBe(0);

  await take(sides, sides.busy, 1);
  await sides.look();
  expect(sides.takeQuestions()).toBe(1);

  sides.clock.ms += 60_000;
  await sides.look();
  expect(sides.takeQuestions()).toBe(1);
});

test('flow keys with calls are counted by queue, with those that wait for their turn, at most every few seconds', async () => {
  await using sides = await startSides();
  const { queue, busy, gateway, clock } = sides;
  const flows = async () => (await sides.look()).flows;
  expect(await flows()).toEqual([{ queue, keys: 0, waiting: 0 }]);
  for (const key of ['a', 'a', 'a', 'b']) {
    const call = buildCall(queue, { function: busy, flow: { key } });
    expect(await gateway.queue.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
  }
  expect(await flows()).toEqual([{ queue, keys: 0, waiting: 0 }]);
  await eventually(async () => {
    clock.ms += 60_000;
    expect(await flows()).toEqual([{ queue, keys: 2, waiting: 2 }]);
    return true;
  });
});

test('calls that wait for their time are counted until they are ready, or taken out', async () => {
  await using sides = await startSides();
  const { queue, busy, gateway } = sides;
  const scheduled = async (): Promise<number | undefined> => (await sides.look()).scheduled[0]?.count;
  for (const delayMs of [2_000, 3_600_000, 3_600_000]) {
    const call = buildCall(queue, { function: busy, notBefore: Date.now() + delayMs });
    expect(await gateway.queue.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
  }
  expect(await scheduled()).toBe(3);
  await eventually(async () => (await scheduled()) === 2);
  expect((await sides.look()).lanes.find((lane) => lane.function === busy)).toMatchObject({ pending: 1 });
  await gateway.topology.manager.streams.purge(queueStream(queue), { filter: scheduledFilter(queue) });
  expect(await scheduled()).toBe(0);
});

test('a count of 500 functions takes a handful of requests, and one more for each that has a new oldest call', async () => {
  await using sides = await startSides();
  const { queue, gateway, worker } = sides;
  const names = Array.from({ length: 500 }, (_, index) => `many-${index}-${queue}`);
  for (let from = 0; from < names.length; from += 50) {
    const targets = names.slice(from, from + 50).map((name) => ({ name, queue, concurrency: undefined }));
    await Promise.all(targets.map((target) => worker.topology.ensureFunction(target)));
  }
  sides.takeRequests();
  expect((await sides.look()).lanes).toHaveLength(500);
  const idle = sides.takeRequests();
  await Promise.all(names.map((name) => accept(sides, name, 1)));
  sides.takeRequests();
  await sides.look();
  const allNew = sides.takeRequests();
  const startedAt = performance.now();
  const { lanes } = await sides.look();
  const tookMs = performance.now() - startedAt;
  const again = sides.takeRequests();

  expect(lanes.filter(({ oldestAtMs }) => oldestAtMs !== undefined)).toHaveLength(500);
  // The streams of other tests are on the same server: each page of 256 is a request.
  expect(idle).toBeLessThanOrEqual(6);
  expect(allNew).toBeLessThanOrEqual(506);
  expect(again).toBeLessThanOrEqual(6);
  expect(tookMs, `${idle}, ${allNew}, ${again} requests`).toBeLessThan(30_000);
  expect(gateway.broker.connected).toBe(true);
});
