import { ApiClient } from '@asyncfn/stack';
import { eventually, gate, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { Records } from './harness/broker/records.ts';
import { startStack } from './harness/stack.ts';

/** Five seconds are promised after the 2 s, and a busy machine takes longer. */
const latestMs = 30_000;

/** From the acceptance of a call to its callback, in milliseconds. */
function tookMs(callback: { at: number; headers: Record<string, unknown> } | undefined): number {
  return performance.timeOrigin + (callback?.at ?? Number.NaN) - Number(callback?.headers['x-start-time']) / 1e6;
}

describe('a call that is not started in time', () => {
  test('ends as expired while the slots of its function are taken', async () => {
    const held = gate();
    await using busy = await startTestFunction({ handler: held.handler });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { busy: { url: busy.url, concurrency: 2 } },
      workers: 2,
      workerEnv: { MAX_INFLIGHT: '2' },
    });
    await using records = await Records.open(stack.nats.url);
    await using client = new ApiClient(stack.gateway.url);
    // Long enough to start in time on a busy machine.
    const running = await client.acceptMany('busy', 2, { headers: { 'X-Expires-In': '6s' } });
    const runningSince = Date.now();
    await busy.waitForInvocations(2);
    const request = { headers: { 'X-Expires-In': '2s' }, callbackUrl: inbox.url };
    const waiting = await client.acceptMany('busy', 100, request);
    const delayed = await client.acceptMany('busy', 100, {
      ...request,
      headers: { ...request.headers, 'X-Delay': '1h' },
    });
    const patient = await client.accept('busy', { headers: { 'X-Expires-In': '1h' }, callbackUrl: inbox.url });

    const callbacks = await inbox.waitForCallbacks(200);
    expect(callbacks.map(tookMs).filter((ms) => ms < 2_000 || ms > latestMs)).toEqual([]);
    expect(new Set(callbacks.map(({ headers }) => headers['x-function-status']))).toEqual(new Set(['504']));
    expect(new Set(callbacks.map(({ callId }) => callId))).toEqual(new Set([...waiting, ...delayed]));
    expect(await records.deadLetters(waiting[0] ?? '')).toMatchObject([
      { kind: 'call', reason: 'expired', attempts: 0 },
    ]);
    await eventually(async () => (await stack.queued()) === 3);

    // The running calls have started, and the one with time left is started next.
    await eventually(() => Date.now() - runningSince > 6_500);
    held.open();
    await inbox.waitForCallbacks(201);
    await stack.untilSettled();
    expect([...running, patient].map((callId) => busy.countBy(callId))).toEqual([1, 1, 1]);
    expect(busy.invocations).toHaveLength(3);
    expect(inbox.byCallId(patient)[0]?.headers['x-function-status']).toBe('200');
    expect(new Set((await records.outcomes()).values())).toEqual(new Set([1]));
    expect((await records.outcomes()).size).toBe(203);
  });

  test('ends as expired while its function is paused', async () => {
    await using target = await startTestFunction();
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({ functions: { target: target.url } });
    await using client = new ApiClient(stack.gateway.url);
    const pause = await fetch(`${stack.gateway.url}/system/functions/target/pause`, { method: 'POST' });
    expect(await pause.json()).toMatchObject({ paused: true });
    const request = { headers: { 'X-Expires-In': '2s' }, callbackUrl: inbox.url };
    const callIds = await client.acceptMany('target', 20, request);
    const patient = await client.accept('target');

    const callbacks = await inbox.waitForCallbacks(20);
    expect(new Set(callbacks.map(({ callId }) => callId))).toEqual(new Set(callIds));
    expect(callbacks.map(tookMs).filter((ms) => ms < 2_000 || ms > latestMs)).toEqual([]);
    await eventually(async () => (await stack.queued()) === 1);
    expect(target.invocations).toHaveLength(0);
    await fetch(`${stack.gateway.url}/system/functions/target/resume`, { method: 'POST' });
    await stack.untilSettled();
    expect([target.invocations.length, target.countBy(patient)]).toEqual([1, 1]);
  });

  test.for(['SIGTERM', 'SIGKILL'] as const)(
    'ends so after a restart of everything during which it expired (%s)',
    async (signal) => {
      await using target = await startTestFunction();
      await using inbox = await startCallbackReceiver();
      await using stack = await startStack({ functions: { target: target.url }, workers: 0 });
      await using client = new ApiClient(stack.gateway.url);
      const request = { headers: { 'X-Expires-In': '2s' }, callbackUrl: inbox.url };
      const expired = await client.acceptMany('target', 50, request);
      const inTime = await client.acceptMany('target', 50, {
        headers: { 'X-Expires-In': '1h' },
        callbackUrl: inbox.url,
      });
      stack.gateway.kill(signal);
      await stack.gateway.exited;
      stack.nats.signal(signal);
      await stack.nats.exited;
      const acceptedAt = Date.now();
      await eventually(() => Date.now() - acceptedAt > 2_000);
      await stack.nats.restart();
      await Promise.all([stack.startGateway(), stack.startWorker()]);
      await inbox.waitForCallbacks(100);
      await stack.untilSettled();
      expect(expired.map((callId) => target.countBy(callId)).filter((count) => count !== 0)).toEqual([]);
      expect(inTime.map((callId) => target.countBy(callId)).filter((count) => count !== 1)).toEqual([]);
      const told = (callId: string) => inbox.byCallId(callId).map(({ headers }) => headers['x-function-status']);
      expect(new Set(expired.map((callId) => told(callId).join()))).toEqual(new Set(['504']));
      expect(new Set(inTime.map((callId) => told(callId).join()))).toEqual(new Set(['200']));
    },
  );

  test('is either invoked or expired, never both, while workers start slowly', async () => {
    await using target = await startTestFunction();
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({ functions: { target: target.url }, workers: 0 });
    await using client = new ApiClient(stack.gateway.url);
    const calls = await client.acceptMany('target', 500, {
      headers: { 'X-Expires-In': '2500ms' },
      callbackUrl: inbox.url,
    });
    // They come up while the calls expire.
    await Promise.all([stack.startWorker(), stack.startWorker()]);
    await inbox.waitForCallbacks(500);
    await stack.untilSettled();
    const wrong = calls.filter((callId) => {
      const [callback, ...more] = inbox.byCallId(callId);
      const invoked = target.countBy(callId);
      return (
        more.length > 0 || callback?.headers['x-function-status'] !== (invoked === 1 ? '200' : '504') || invoked > 1
      );
    });
    expect(wrong).toEqual([]);
  });
});
