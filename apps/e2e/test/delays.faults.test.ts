import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '@asyncfn/stack';
import { eventually, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { startedAt } from './harness/timing.ts';

// They wait more than they work, so they wait together.
describe.concurrent('delayed calls', () => {
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
    await inbox.waitForCallbacks(200);
    await stack.untilSettled();
    expect([...punctual, ...missed].filter((callId) => target.countBy(callId) !== 1)).toEqual([]);
    expect(punctual.filter((callId) => startedAt(target, callId) < due)).toEqual([]);
  });

  test('wait in their queue while others pass, and a past time counts as now', async () => {
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
