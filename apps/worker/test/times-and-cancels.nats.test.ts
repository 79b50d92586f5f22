import { type CallbackReceiver, eventually, startCallbackReceiver } from '@asyncfn/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startWalk, type Walk } from './walk-fixture.ts';

let walk: Walk;
let inbox: CallbackReceiver;

beforeEach(async () => {
  walk = await startWalk();
  inbox = await startCallbackReceiver();
});

afterEach(async () => {
  await walk[Symbol.asyncDispose]();
  await inbox.close();
});

const queueLength = async (): Promise<number> => {
  const { topology, target } = walk.bench;
  return (await topology.manager.streams.info(`CALLS_${target.queue}`)).state.messages;
};

test('a call that waits for its time says when that is, and is not delivered once it is cancelled', async () => {
  const { bench, finder, canceller, fn } = walk;
  const notBefore = Date.now() + 2_000;
  const { id } = await bench.put({ notBefore, callbackUrl: inbox.url });
  expect(await finder.find({ callId: id })).toMatchObject({ kind: 'active', phase: 'scheduled', dueAt: notBefore });
  expect(await canceller.cancel({ callId: id })).toMatchObject({ kind: 'cancelled' });
  expect(await queueLength()).toBe(0);
  await eventually(() => Date.now() > notBefore + 1_000);
  expect([await queueLength(), fn.invocations.length, inbox.callbacks.length]).toEqual([0, 0, 0]);
  expect(await finder.find({ callId: id })).toMatchObject({
    kind: 'ended',
    outcome: { status: 'cancelled', attempts: 0 },
  });
});

test('a cancelled call does not end a second time when it would have expired', async () => {
  const { bench, finder, canceller } = walk;
  const expiresAt = Date.now() + 6_000;
  const { id } = await bench.put({ expiresAt, callbackUrl: inbox.url });
  expect(await bench.storedExpiries()).toBe(1);
  const ended = await canceller.cancel({ callId: id });
  expect(ended).toMatchObject({ kind: 'cancelled' });
  // The expiry timer is gone once a worker has handled it.
  await eventually(async () => (await bench.storedExpiries()) === 0);
  expect(Date.now()).toBeGreaterThan(expiresAt);
  expect(await finder.find({ callId: id })).toMatchObject(ended.kind === 'cancelled' ? ended.call : {});
  expect(await bench.deadLetters.find({ callId: id })).toEqual([]);
  expect([await queueLength(), inbox.callbacks.length]).toEqual([0, 0]);
  expect(bench.logged).not.toContain('call has expired');
});

test('a call expires behind a function that is paused', async () => {
  const { bench, finder, fn } = walk;
  const { name, queue } = bench.target;
  const expiresAt = Date.now() + 1_500;
  const { id } = await bench.put({ expiresAt, callbackUrl: inbox.url });
  await bench.topology.pauseFunction(name, true);
  expect(await bench.topology.listLanes(queue)).toMatchObject([{ function: name, paused: true, pending: 1 }]);
  const [callback] = await inbox.waitForCallbacks(1);
  expect(callback?.headers).toMatchObject({ 'x-call-id': id, 'x-function-status': '504' });
  expect(Date.now() - expiresAt).toBeLessThan(60_000);
  expect(await finder.find({ callId: id })).toMatchObject({ kind: 'ended', outcome: { status: 'expired' } });
  await eventually(async () => (await queueLength()) === 0);
  expect(fn.invocations).toHaveLength(0);
});
