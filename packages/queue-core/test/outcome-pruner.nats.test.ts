import { eventually } from '@asyncfn/testkit';
import type { StoredMsg } from '@nats-io/jetstream';
import type { QueuedIterator } from '@nats-io/transport-node';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type Call, keyOf } from '../src/index.ts';
import { CallbackStore, type Delivery, OutcomePruner, Publisher } from '../src/jetstream/index.ts';
import { toCancelled } from '../src/jetstream/store/cancel-intents.ts';
import { openFinder } from './call-fixture.ts';
import { startServer } from './connected.ts';
import { createTask, outcomeOf } from './dead-letter-fixture.ts';

const body = Buffer.from('the result');

/** A gateway and a worker at a server of their own, and a pruner that forgets the ends of calls as soon as it may. */
async function open() {
  const server = await startServer();
  onTestFinished(() => server[Symbol.asyncDispose]());
  const bench = await openFinder({ natsUrl: server.url });
  const { broker, topology } = bench.worker;
  const pruner = new OutcomePruner({ broker, topology, publisher: new Publisher(broker), keptMs: 0 });
  const end = async (changes: Partial<Call> = {}) => {
    const call = await bench.put(changes);
    const delivery = await bench.take();
    expect(await bench.store.recordOutcome(outcomeOf(call), body)).toMatchObject({ kind: 'stored' });
    return { call, delivery };
  };
  const isKnown = async (call: Call) => (await bench.store.findOutcome(keyOf(call))) !== undefined;
  return { ...bench, pruner, end, isKnown };
}

/** The answer of a replica that has none of the messages yet. */
async function* nothingShown(): AsyncGenerator<StoredMsg> {}

describe('an end that is old', () => {
  test('is forgotten when nothing is left of its call', async () => {
    const { pruner, end, isKnown, settle, stored, store } = await open();
    const ended: { readonly call: Call; readonly delivery: Delivery }[] = [];
    for (let number = 0; number < 3; number++) {
      ended.push(await end());
    }
    for (const { call, delivery } of ended) {
      await store.recordCallbackState(keyOf(call), { v: 1, status: 'delivered', attempts: 1 });
      await settle(delivery);
    }
    await eventually(async () => (await stored()) === 0);
    expect(await pruner.prune()).toEqual({ forgotten: 6, kept: 0 });
    for (const { call } of ended) {
      expect(await isKnown(call)).toBe(false);
    }
    expect(await pruner.prune()).toEqual({ forgotten: 0, kept: 0 });
  });

  test('stays while a call that follows in its chain is in a queue, even behind one that has ended', async () => {
    const { pruner, isKnown, put, take, settle, store, queue } = await open();
    const next = (callId: string) => ({ next: { callId, function: 'echo', queue } });
    const calls = [await put({ id: 'first' }), await put({ id: 'second' }), await put({ id: 'third' })];
    const [first, second, third] = calls as [Call, Call, Call];
    const deliveries = [await take(), await take(), await take()];
    await store.recordOutcome({ ...outcomeOf(first), ...next('second') }, body);
    await store.recordOutcome({ ...outcomeOf(second), ...next('third') }, body);
    await settle(deliveries[0]!);
    await settle(deliveries[1]!);
    await eventually(async () => (await pruner.prune()).kept === 2);
    expect([await isKnown(first), await isKnown(second)]).toEqual([true, true]);
    await store.recordOutcome(outcomeOf(third), body);
    await settle(deliveries[2]!);
    await eventually(async () => (await pruner.prune()).forgotten === 3);
    expect([await isKnown(first), await isKnown(second), await isKnown(third)]).toEqual([false, false, false]);
  });

  test('stays while a later step of its chain waits among the callbacks, because its queue is full', async () => {
    const { pruner, isKnown, put, take, settle, store, queue, worker } = await open();
    const [first, second] = [await put({ id: 'first' }), await put({ id: 'second' })];
    const deliveries = [await take(), await take()];
    for (const [call, callId] of [[first, 'second'] as const, [second, 'third'] as const]) {
      await store.recordOutcome({ ...outcomeOf(call), next: { callId, function: 'echo', queue } }, body);
    }
    const waiting = await new CallbackStore(new Publisher(worker.broker), worker.topology).store(
      createTask(second),
      body,
      Date.now() + 3_600_000,
      0,
    );
    expect(waiting).toMatchObject({ kind: 'stored' });
    await settle(deliveries[0]!);
    await settle(deliveries[1]!);
    await eventually(async () => expect(await pruner.prune()).toEqual({ forgotten: 0, kept: 2 }));
    expect([await isKnown(first), await isKnown(second)]).toEqual([true, true]);
  });

  test('stays while the message of its call is in the queue, with its body and the state of its callback', async () => {
    const { pruner, end, isKnown, settle, stored, store } = await open();
    const left = await end();
    const done = await end();
    await settle(done.delivery);
    await store.recordCallbackState(keyOf(left.call), { v: 1, status: 'delivered', attempts: 1 });
    await eventually(async () => (await stored()) === 1);
    for (let round = 0; round < 3; round++) {
      expect(await pruner.prune()).toEqual({ forgotten: round === 0 ? 1 : 0, kept: 2 });
    }
    expect([await isKnown(left.call), await isKnown(done.call)]).toEqual([true, false]);
    const found = await store.findOutcome(keyOf(left.call));
    expect(Buffer.from(found?.body ?? [])).toEqual(body);
    expect(await store.findCallbackState(keyOf(left.call))).toMatchObject({ status: 'delivered' });
    // No worker can record a second one.
    expect(await store.recordOutcome(outcomeOf(left.call), body)).toMatchObject({ reason: 'conflict' });
    await settle(left.delivery);
    await eventually(async () => (await stored()) === 0);
    expect(await pruner.prune()).toEqual({ forgotten: 2, kept: 0 });
  });

  test('stays while its callback waits, and while an intent to cancel its call exists', async () => {
    const { pruner, end, isKnown, settle, worker, parts } = await open();
    const told = await end();
    const cancelled = await end();
    const callbacks = new CallbackStore(new Publisher(worker.broker), worker.topology);
    await callbacks.storeReady(createTask(told.call), body);
    await parts.intents.store(toCancelled(cancelled.call, { now: Date.now(), held: undefined, maxRetries: 0 }), 1);
    for (const { delivery } of [told, cancelled]) {
      await settle(delivery);
    }
    expect(await pruner.prune()).toEqual({ forgotten: 0, kept: 2 });
    expect([await isKnown(told.call), await isKnown(cancelled.call)]).toEqual([true, true]);
  });

  test.each([
    { others: 0, told: 'lists what it has' },
    { others: 1_001, told: 'is asked for each call, if it has very many messages' },
  ])(
    'stays while the leader knows of something that a replica behind does not: the leader $told',
    async ({ others }) => {
      const { pruner, end, isKnown, settle, worker, put } = await open();
      const left = await end();
      const told = await end();
      const done = await end();
      const callbacks = new CallbackStore(new Publisher(worker.broker), worker.topology);
      await callbacks.storeReady(createTask(told.call), body);
      for (const { delivery } of [told, done]) {
        await settle(delivery);
      }
      await Promise.all(Array.from({ length: others }, () => put()));
      const { direct, streams } = worker.topology.manager;
      vi.spyOn(direct, 'getLastMessagesFor').mockImplementation(
        async () => nothingShown() as unknown as QueuedIterator<StoredMsg>,
      );
      const info = streams.info.bind(streams);
      vi.spyOn(streams, 'info').mockImplementation(async (...args) => {
        const found = await info(...args);
        return { ...found, config: { ...found.config, num_replicas: 3 } };
      });
      expect(await pruner.prune()).toEqual({ forgotten: 1, kept: 2 });
      expect([await isKnown(left.call), await isKnown(told.call), await isKnown(done.call)]).toEqual([
        true,
        true,
        false,
      ]);
    },
  );

  test('stays until it is old', async () => {
    const { end, isKnown, settle, worker } = await open();
    const { broker, topology } = worker;
    const { call, delivery } = await end();
    await settle(delivery);
    const pruner = new OutcomePruner({ broker, topology, publisher: new Publisher(broker) });
    expect(await pruner.prune()).toEqual({ forgotten: 0, kept: 0 });
    expect(await isKnown(call)).toBe(true);
  });
});
