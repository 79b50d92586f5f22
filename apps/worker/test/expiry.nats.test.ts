import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { type Call, identityOf, keyOf } from '@asyncfn/queue-core';
import {
  type CallbackReceiver,
  eventually,
  gate,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { type SettlingBench, startBench } from './settling-bench.ts';

let server: NatsServer;
let fn: TestFunction;
let inbox: CallbackReceiver;
let bench: SettlingBench;

beforeAll(async () => {
  server = await startNatsServer({ bin: inject('natsServerBin') });
});

afterAll(() => server.stop());

beforeEach(async () => {
  fn = await startTestFunction();
  inbox = await startCallbackReceiver();
  bench = await startBench({ natsUrl: server.url, functionUrl: fn.url, ackWaitMs: 1_000 });
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
  await fn.close();
  await inbox.close();
});

async function outcomeOf(call: Call) {
  return (await bench.store.findOutcome(keyOf(call)))?.outcome;
}

describe('a call that expires', () => {
  test.each([
    ['while it waits for a slot', undefined],
    ['while it waits for its time', 3_600_000],
    ['at the very moment that its time comes', 1_000],
  ])('%s ends so soon, with a callback and a dead letter', async (_, delayMs) => {
    const expiresAt = Date.now() + 1_000;
    const notBefore = delayMs === undefined ? {} : { notBefore: expiresAt - 1_000 + delayMs };
    const call = await bench.put({ expiresAt, callbackUrl: inbox.url, maxRetries: 3, ...notBefore });
    bench.endExpired();
    const [callback] = await inbox.waitForCallbacks(1);
    expect(Date.now() - expiresAt).toBeLessThan(60_000);
    expect(callback?.headers).toMatchObject({
      'x-call-id': call.id,
      'x-function-status': '504',
      'x-duration-seconds': '0.000000',
      'x-retry': '0',
      'x-retry-max': '3',
    });
    expect(callback?.body).toHaveLength(0);
    const outcome = await outcomeOf(call);
    expect(outcome).toMatchObject({ status: 'expired', reason: 'expired', attempts: 0, maxRetries: 3 });
    expect(outcome?.endedAt).toBeGreaterThanOrEqual(expiresAt);
    expect(outcome).not.toHaveProperty('functionStatus');
    const [dead] = await bench.deadLetters.find({ callId: call.id });
    expect(dead?.letter).toMatchObject({ reason: 'expired', attempts: 0 });
    await eventually(
      async () =>
        (await bench.store.findQueued({ ...identityOf(call), queue: call.queue, function: call.function })) ===
        undefined,
    );
    expect(fn.invocations).toHaveLength(0);
  });

  test('is ended by a worker that receives it too late, and not invoked', async () => {
    const call = await bench.put({ expiresAt: Date.now() + 300, callbackUrl: inbox.url });
    const delivery = await bench.take();
    await eventually(() => Date.now() > (call.expiresAt ?? 0));
    await bench.run(delivery);
    expect(await outcomeOf(call)).toMatchObject({ status: 'expired', attempts: 0 });
    expect([fn.invocations.length, inbox.callbacks.length]).toEqual([0, 1]);
    // The expiry timer finds nothing left to do.
    bench.endExpired();
    await eventually(async () => (await bench.queued()) === 0);
    expect(inbox.callbacks).toHaveLength(1);
  });

  test('is replayed from its dead letter without its expiry', async () => {
    const call = await bench.put({ expiresAt: Date.now() + 200, notBefore: Date.now() + 3_600_000 });
    bench.endExpired();
    await eventually(async () => (await outcomeOf(call)) !== undefined);
    await eventually(async () => (await bench.deadLetters.find({ callId: call.id })).length === 1);
    await bench.deadLetters.replay({ callId: call.id }, () => bench.target);
    const delivery = await bench.take();
    await bench.run(delivery);
    expect(fn.countBy(call.id)).toBe(1);
  });
});

describe('a call that has started', () => {
  test('never expires, however long it runs', async () => {
    const held = gate();
    fn.handler = held.handler;
    const call = await bench.put({ expiresAt: Date.now() + 500 });
    const running = bench.run(await bench.take());
    await fn.waitForInvocations(1);
    bench.endExpired();
    await eventually(() => Date.now() > (call.expiresAt ?? 0) + 1_000);
    held.open();
    await running;
    expect(await outcomeOf(call)).toMatchObject({ status: 'succeeded', attempts: 1 });
  });

  test('never expires while it waits for a retry', async () => {
    fn.handler = status(503);
    const call = await bench.put({ expiresAt: Date.now() + 500 });
    await bench.run(await bench.take());
    bench.endExpired();
    await eventually(() => Date.now() > (call.expiresAt ?? 0) + 1_000);
    expect(await bench.hasRetries()).toBe(true);
    expect(await outcomeOf(call)).toBeUndefined();
  });

  test('never expires if its worker has died during an attempt', async () => {
    const call = await bench.put({ expiresAt: Date.now() + 500 });
    await bench.take();
    const claim = await bench.expiries.claim(keyOf(call), call.expiresAt ?? 0, 'started');
    expect(claim).toMatchObject({ decision: 'started', byUs: true });
    bench.endExpired();
    await eventually(() => Date.now() > (call.expiresAt ?? 0) + 300);
    const again = await bench.take();
    expect(again.info.deliveries).toBeGreaterThan(1);
    await bench.run(again);
    expect(await outcomeOf(call)).toMatchObject({ status: 'succeeded' });
  });
});

describe('a call that the server does not know yet', () => {
  /** The server answers this often like one that is behind the others, about calls that are in their queue. */
  function hideCalls(times: number): { readonly looks: () => number } {
    const { streams } = bench.topology.manager;
    const read = streams.getMessage.bind(streams);
    let looks = 0;
    const spy = vi.spyOn(streams, 'getMessage').mockImplementation(async (stream, query) => {
      const isHidden = stream.startsWith('CALLS_') && looks < times;
      looks += stream.startsWith('CALLS_') ? 1 : 0;
      return isHidden ? null : await read(stream, query);
    });
    onTestFinished(() => spy.mockRestore());
    return { looks: () => looks };
  }

  /** A timer whose call is stored by now, or never will be. */
  async function putExpiring(changes: Partial<Call> = {}): Promise<Call & { readonly expiresAt: number }> {
    const expiresAt = Date.now() + 500;
    const call = await bench.put({ expiresAt, ...changes });
    await bench.expiries.schedule(call, expiresAt, 0);
    return { ...call, expiresAt };
  }

  test('expires all the same', async () => {
    const hidden = hideCalls(2);
    const call = await putExpiring({ notBefore: Date.now() + 3_600_000 });
    bench.endExpired();
    await eventually(async () => (await outcomeOf(call))?.status === 'expired');
    expect(hidden.looks()).toBeGreaterThan(2);
  });

  test('is not forgotten as started, however often it is looked up', async () => {
    const call = await putExpiring();
    await bench.expiries.claim(keyOf(call), call.expiresAt, 'started');
    const hidden = hideCalls(3);
    bench.endExpired();
    await eventually(() => hidden.looks() >= 3);
    expect(await bench.expiries.claim(keyOf(call), call.expiresAt, 'expired')).toMatchObject({ decision: 'started' });
  });
});

describe('if many workers start or expire the same call', () => {
  test('one decides, and all others follow its decision', async () => {
    for (let round = 0; round < 20; round++) {
      const key = { callId: `call-${round}`, startTime: String(Date.now()), generation: 0 };
      const claims = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          bench.expiries.claim(key, Date.now(), n % 2 === 0 ? 'started' : 'expired'),
        ),
      );
      const decisions = claims.map((claim) => (claim.kind === 'decided' ? claim.decision : claim.reason));
      expect(new Set(decisions).size).toBe(1);
      expect(claims.filter((claim) => claim.kind === 'decided' && claim.byUs)).toHaveLength(1);
    }
  });

  test('a start is decided again once, by the first worker that has heard of it', async () => {
    const key = { callId: 'call', startTime: String(Date.now()), generation: 0 };
    const claim = await bench.expiries.claim(key, Date.now(), 'started');
    const sequence = claim.kind === 'decided' ? claim.sequence : 0;
    expect(await bench.expiries.claim(key, Date.now(), 'expired')).toMatchObject({ byUs: false, sequence });
    const revisions = await Promise.all(
      (['started', 'expired'] as const).map((decision) => bench.expiries.revise(key, Date.now(), decision, sequence)),
    );
    const [first] = revisions.flatMap((each) => (each.kind === 'decided' ? [each.decision] : []));
    expect(revisions.map(({ kind }) => kind).toSorted()).toEqual(['decided', 'refused']);
    expect(await bench.expiries.claim(key, Date.now(), 'expired')).toMatchObject({ decision: first, byUs: false });
  });

  test('a call that another worker is about to end is not invoked, and its next worker ends it', async () => {
    const call = await bench.put({ expiresAt: Date.now() + 3_600_000, callbackUrl: inbox.url });
    // A worker decided, and died.
    await bench.expiries.claim(keyOf(call), 0, 'expired');
    await bench.run(await bench.take());
    expect(await outcomeOf(call)).toBeUndefined();
    await bench.run(await bench.take());
    expect(await outcomeOf(call)).toMatchObject({ status: 'expired' });
    expect([fn.invocations.length, inbox.callbacks.length]).toEqual([0, 1]);
  });

  test('another worker completes an expiry if the first one dies in the middle', async () => {
    const call = await bench.put({ expiresAt: Date.now() + 300, notBefore: Date.now() + 3_600_000 });
    await bench.expiries.claim(keyOf(call), 0, 'expired');
    bench.endExpired();
    await eventually(async () => (await outcomeOf(call))?.status === 'expired');
    await eventually(
      async () =>
        (await bench.store.findQueued({ ...identityOf(call), queue: call.queue, function: call.function })) ===
        undefined,
    );
  });
});

test('a call without an expiry costs no write of its own', async () => {
  const before = await bench.storedExpiries();
  await bench.put();
  await bench.run(await bench.take());
  expect(await bench.storedExpiries()).toBe(before);
});

test('nothing is left of an expiry once its call is gone', async () => {
  const before = await bench.storedExpiries();
  const call = await bench.put({ expiresAt: Date.now() + 500 });
  await bench.run(await bench.take());
  expect(await bench.storedExpiries()).toBe(before + 2);
  bench.endExpired();
  await eventually(() => Date.now() > (call.expiresAt ?? 0));
  // A call may be on its way into its queue for as long as a publish may take.
  await eventually(async () => (await bench.storedExpiries()) <= before);
});
