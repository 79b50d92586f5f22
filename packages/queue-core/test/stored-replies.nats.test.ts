import { eventually } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { bodyOwnerOf } from '../src/bodies/index.ts';
import { type BodyObject, type Call, type CallbackTask, emptyBody, keyOf, type Outcome } from '../src/index.ts';
import {
  BodyStore,
  CallbackStore,
  CallEraser,
  CallStore,
  DeadLetterStore,
  OutcomePruner,
} from '../src/jetstream/index.ts';
import { collect, largeBody, openBodies } from './body-fixture.ts';
import { buildCall, functionConfig } from './harness.ts';

async function openReplies() {
  const opened = await openBodies();
  const { publisher, topology, queue } = opened;
  await topology.ensureFunction(functionConfig('echo', 'default'));
  const put = async (changes: Partial<Call> = {}): Promise<Call> => {
    const call = buildCall('default', { startTime: '7', ...changes });
    expect(await queue.accept(call, { unique: false })).toMatchObject({ kind: 'stored' });
    return call;
  };
  return {
    ...opened,
    calls: new CallStore(publisher, topology),
    callbacks: new CallbackStore(publisher, topology),
    put,
    /** No call is in a queue any more. */
    leave: () => topology.manager.streams.purge('CALLS_default'),
  };
}

function outcomeOf(call: Call, bodyObject: BodyObject, changes: Partial<Outcome> = {}): Outcome {
  const { function: name, queue } = call;
  return {
    v: 1,
    ...keyOf(call),
    function: name,
    queue,
    status: 'succeeded',
    functionStatus: 200,
    attempts: 1,
    maxRetries: 0,
    endedAt: 1,
    headers: [],
    bodyObject,
    bodyOmitted: 'stored_apart',
    ...changes,
  };
}

function taskOf(call: Call, bodyObject: BodyObject): CallbackTask {
  const { function: name, queue } = call;
  const url = 'http://receiver.example/';
  const numbers = { functionStatus: 200, durationMs: 1, retry: 0, maxRetries: 0, tries: 0 };
  return { v: 1, ...keyOf(call), function: name, queue, url, ...numbers, headers: [], bodyObject };
}

test('a response stays while its call is queued, then while its outcome is there, and goes with that', async () => {
  const { bodies, put, reply, calls, leave, stored, topology } = await openReplies();
  const call = await put();
  const object = await reply(call);
  expect(await bodies.removeUnused(object)).toBe('still needed');
  await calls.recordOutcome(outcomeOf(call, object), emptyBody);
  await leave();
  expect(await bodies.removeUnused(object)).toBe('still needed');
  expect((await collect(bodies.read(object))).equals(largeBody)).toBe(true);
  await topology.manager.streams.purge('OUTCOMES');
  expect(await bodies.removeUnused(object)).toBe('removed');
  expect(await stored()).toBe(0);
});

test('a response that is shown as a result stays without a look at all queues', async () => {
  const { put, reply, calls, broker, publisher, topology } = await openReplies();
  const call = await put();
  const object = await reply(call);
  await calls.recordOutcome(outcomeOf(call, object), emptyBody);
  let looks = 0;
  const listQueues = async (): Promise<string[]> => {
    looks += 1;
    return topology.listQueues();
  };
  const manager = () => topology.manager;
  const bodies = new BodyStore({
    broker,
    publisher,
    topology: {
      listQueues,
      get manager() {
        return manager();
      },
    },
  });
  await topology.manager.streams.purge('CALLS_default');
  expect(await bodies.removeUnused(object)).toBe('still needed');
  expect(looks).toBe(0);
});

test('the response of an attempt that did not count goes, whatever became of its call', async () => {
  const { bodies, put, reply, calls, leave } = await openReplies();
  const call = await put();
  const [object, other] = [await reply(call), await reply(call)];
  await calls.recordOutcome(outcomeOf(call, object), emptyBody);
  await leave();
  expect(await bodies.removeUnused(other)).toBe('removed');
  expect(await bodies.has(object)).toBe(true);
  await bodies.discard(object);
  expect(await bodies.has(object)).toBe(false);
});

test('a response stays with its callback and the dead letter of that, which goes back and takes it along', async () => {
  const { broker, bodies, put, reply, callbacks, calls, leave, topology, publisher } = await openReplies();
  const call = await put();
  const object = await reply(call);
  await callbacks.storeReady(taskOf(call, object), emptyBody);
  await leave();
  expect(await bodies.removeUnused(object)).toBe('still needed');
  expect(await callbacks.find(keyOf(call))).toEqual(taskOf(call, object));
  const stored = await topology.manager.streams.getMessage('CALLBACKS', { last_by_subj: 'callbacks.>' });
  // What does not know of such bodies cannot send it.
  expect(JSON.parse(stored!.header.get('Asyncfn-Callback'))).toMatchObject({ url: '' });
  const letter = { v: 1 as const, kind: 'callback' as const, ...keyOf(call), function: 'echo', queue: 'default' };
  await calls.putDeadLetter(
    { ...letter, reason: 'callback_undeliverable', attempts: 1, createdAt: 1, endedAt: 2 },
    { header: 'Asyncfn-Callback', value: stored!.header.get('Asyncfn-Callback'), body: emptyBody },
  );
  await topology.manager.streams.purge('CALLBACKS');
  expect(await bodies.removeUnused(object)).toBe('still needed');
  const letters = new DeadLetterStore({ broker, topology, publisher, calls, callbacks, bodies });
  const address = { callId: call.id, owner: '~', startTime: call.startTime };
  expect(await letters.replay(address, () => undefined)).toMatchObject({ kind: 'replayed' });
  expect(await letters.find(address)).toEqual([]);
  expect(await callbacks.find(keyOf(call))).toMatchObject({ bodyObject: object, url: 'http://receiver.example/' });
  expect(await bodies.removeUnused(object)).toBe('still needed');
});

test('dropping the dead letter of a callback removes its response, and one without its response is not replayed', async () => {
  const { broker, bodies, put, reply, callbacks, calls, leave, topology, publisher } = await openReplies();
  const [call, other] = [await put({ id: 'dropped' }), await put({ id: 'gone' })];
  const letters = new DeadLetterStore({ broker, topology, publisher, calls, callbacks, bodies });
  const { callbackTaskCodec } = await import('../src/index.ts');
  const objects: BodyObject[] = [];
  for (const each of [call, other]) {
    const object = await reply(each);
    objects.push(object);
    const letter = { v: 1 as const, kind: 'callback' as const, ...keyOf(each), function: 'echo', queue: 'default' };
    await calls.putDeadLetter(
      { ...letter, reason: 'callback_undeliverable', attempts: 1, createdAt: 1, endedAt: 2 },
      { header: 'Asyncfn-Callback', value: callbackTaskCodec.encode(taskOf(each, object)), body: emptyBody },
    );
  }
  await leave();
  const [first, second] = objects as [BodyObject, BodyObject];
  expect(await letters.remove({ callId: 'dropped', owner: '~', startTime: '7' })).toBe(true);
  expect(await bodies.has(first)).toBe(false);
  await bodies.discard(second);
  expect(await letters.replay({ callId: 'gone', owner: '~', startTime: '7' }, () => undefined)).toEqual({
    kind: 'kept',
    refusal: 'not_replayable',
  });
});

test('the next step of a chain has the response as its body, and keeps it longer than the outcome does', async () => {
  const { bodies, put, reply, calls, leave, topology, queue } = await openReplies();
  const call = await put();
  const object = await reply(call);
  await calls.recordOutcome(outcomeOf(call, object), emptyBody);
  const next = buildCall('default', { id: 'next', startTime: '8', body: emptyBody, bodyObject: object });
  expect(await bodies.handOver(object, bodyOwnerOf(next))).toBe(true);
  expect(await bodies.handOver(object, bodyOwnerOf(next))).toBe(true);
  await leave();
  await queue.accept(next, { unique: false });
  await topology.manager.streams.purge('OUTCOMES');
  expect(await bodies.removeUnused(object)).toBe('still needed');
  // Its end says nothing about the outcome of the step before.
  expect(await bodies.removeOf(next)).toBe('still needed');
  await leave();
  expect(await bodies.removeUnused(object)).toBe('removed');
  expect(await bodies.handOver(object, bodyOwnerOf(next))).toBe(false);
});

test('the removal of an old outcome removes its response, and an erasure as well', async () => {
  const { broker, bodies, put, reply, calls, leave, topology, publisher, stored } = await openReplies();
  const [old, erased] = [await put({ id: 'old' }), await put({ id: 'erased' })];
  const [first, second] = [await reply(old), await reply(erased)];
  await calls.recordOutcome(outcomeOf(old, first), emptyBody);
  await leave();
  const pruner = new OutcomePruner({ broker, topology, publisher, bodies, keptMs: 0 });
  await eventually(async () => (await pruner.prune()).forgotten > 0);
  expect(await bodies.has(first)).toBe(false);
  await calls.recordOutcome(outcomeOf(erased, second), emptyBody);
  const nothing = { findQueued: async () => undefined, find: async () => undefined, remove: async () => false };
  const others = { finder: nothing, intents: nothing, deadLetters: nothing };
  const eraser = new CallEraser({ topology, calls, bodies, ...others });
  const found = await calls.findOutcome(keyOf(erased));
  const ended = { kind: 'ended' as const, ...found!, callback: undefined };
  const address = { callId: 'erased', owner: '~', startTime: '7' };
  expect(await eraser.erase(address, ended)).toEqual({ kind: 'erased' });
  expect(await bodies.has(second)).toBe(false);
  expect(await stored()).toBe(0);
});

test('a sweep removes what a crash has left of responses, and nothing that is needed', async () => {
  const { bodies, sweeper, put, reply, calls, leave } = await openReplies();
  const call = await put();
  const [object, left] = [await reply(call), await reply(call)];
  await calls.recordOutcome(outcomeOf(call, object), emptyBody);
  await leave();
  await eventually(async () => {
    await sweeper.sweep();
    return !(await bodies.has(left));
  });
  expect(await bodies.has(object)).toBe(true);
  expect(bodies).toBeInstanceOf(BodyStore);
});
