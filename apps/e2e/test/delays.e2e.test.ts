import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '@asyncfn/stack';
import { eventually, startCallbackReceiver, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

/** When the function was first called for the call: Unix time in milliseconds. */
function startedAt(target: TestFunction, callId: string): number {
  return performance.timeOrigin + (target.byCallId(callId)[0]?.at ?? Number.NaN);
}

test('10,000 calls that are due in the same second start within 3 s of it, and none early', async () => {
  const count = 10_000;
  await using target = await startTestFunction({ keepBodies: false, handler: (_, response) => void response.end() });
  await using stack = await startStack({ functions: { target: target.url }, workers: 0 });
  await using client = new ApiClient(stack.gateway.url);
  // How long this machine takes for as many calls that need not wait. It may have other things to do.
  await client.acceptMany('target', count);
  await stack.startWorker();
  await target.waitForInvocations(count, 60_000);
  const [first, last] = [target.invocations[0], target.invocations[count - 1]];
  const atOnceMs = (last?.at ?? Number.NaN) - (first?.at ?? Number.NaN);
  await stack.untilSettled();

  const due = Math.ceil(Date.now() / 1000) * 1000 + 30_000;
  const headers = { 'X-Not-Before': new Date(due).toISOString() };
  const ids = await client.acceptMany('target', count, { headers });
  expect(Date.now()).toBeLessThan(due);
  expect(target.invocations).toHaveLength(count);
  await target.waitForInvocations(2 * count, 60_000);
  await stack.untilSettled();
  const late = ids.map((callId) => startedAt(target, callId) - due).sort((a, b) => a - b);
  expect(new Set(ids.map((callId) => target.countBy(callId)))).toEqual(new Set([1]));
  expect(late[0]).toBeGreaterThanOrEqual(0);
  expect(late.at(-1)).toBeLessThan(Math.max(3_000, 1.5 * atOnceMs));
});

describe('delayed calls', () => {
  test.for(['SIGTERM', 'SIGKILL'] as const)('outlive a restart of everything (%s)', async (signal) => {
    await using target = await startTestFunction();
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({ functions: { target: target.url } });
    await using client = new ApiClient(stack.gateway.url);
    const due = Date.now() + 15_000;
    const soon = { callbackUrl: inbox.url, headers: { 'X-Not-Before': String(due / 1000) } };
    const past = { callbackUrl: inbox.url, headers: { 'X-Delay': '2s' } };
    const punctual = await client.acceptMany('target', 100, soon);
    const missed = await client.acceptMany('target', 100, past);
    for (const each of [stack.worker, stack.gateway]) {
      each.kill(signal);
      await each.exited;
    }
    stack.nats.signal(signal);
    await stack.nats.exited;
    expect(target.invocations).toHaveLength(0);
    // The time of the second hundred comes while nothing runs.
    await delay(2_500);
    await stack.nats.restart();
    await Promise.all([stack.startGateway(), stack.startWorker()]);

    await target.waitForInvocations(missed.length);
    await eventually(() => missed.every((callId) => target.countBy(callId) === 1));
    await inbox.waitForCallbacks(200, 60_000);
    await stack.untilSettled();
    expect([...punctual, ...missed].filter((callId) => target.countBy(callId) !== 1)).toEqual([]);
    expect(punctual.filter((callId) => startedAt(target, callId) < due)).toEqual([]);
  });

  test('wait in their queue while others pass, and a time that is past is now', async () => {
    await using target = await startTestFunction();
    await using stack = await startStack({ functions: { target: target.url } });
    await using client = new ApiClient(stack.gateway.url);
    const [later, now] = [
      await client.call('target', { headers: { 'X-Delay': '3s' } }),
      await client.call('target', { headers: { 'X-Not-Before': '2001-09-09T01:46:40Z' } }),
    ];
    const acceptedAt = Number(later.headers['x-start-time']) / 1e6;
    expect([later, now].map(({ text }) => (JSON.parse(text) as { status: string }).status)).toEqual([
      'scheduled',
      'queued',
    ]);
    await eventually(() => target.countBy(now.callId) === 1);
    expect(target.countBy(later.callId)).toBe(0);
    await target.waitForInvocations(2);
    expect(startedAt(target, later.callId) - acceptedAt).toBeGreaterThanOrEqual(2_999);
    expect(Object.keys(target.invocations[1]?.headers ?? {})).not.toContain('x-delay');
  });
});
