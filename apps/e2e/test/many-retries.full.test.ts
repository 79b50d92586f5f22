import { ApiClient } from '@asyncfn/stack';
import { eventually, startCallbackReceiver, startTestFunction, status } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { Records } from './harness/broker/records.ts';
import { startStack } from './harness/stack.ts';
import { grainMs, measureLatencies, percentile, waitsMs } from './harness/timing.ts';

describe('5,000 calls that fail twice', () => {
  test('each succeed on the third attempt and not before their time, and a healthy function is not affected', async () => {
    const calls = 5_000;
    const retry = { attempts: 5, minWait: '1s', maxWait: '4s', backoff: 'exponential' };
    await using flaky = await startTestFunction({ handler: status(503, { times: 2 }), keepBodies: false });
    await using healthy = await startTestFunction();
    await using inbox = await startCallbackReceiver({ keepBodies: false });
    await using healthyInbox = await startCallbackReceiver();
    // Not adaptive: the limiter would take the 503s for overload, and let fewer retries come together.
    const functions = { flaky: { url: flaky.url, retry, adaptive: false }, healthy: healthy.url };
    await using stack = await startStack({ functions });
    await using records = await Records.open(stack.nats.url);
    await using client = new ApiClient(stack.gateway.url, 20);
    const accepted = client.acceptMany('flaky', calls, { callbackUrl: inbox.url });
    const ended = (): boolean => inbox.callbacks.length >= calls;
    const latencies = measureLatencies(client, 'healthy', healthyInbox, ended);
    await eventually(async () => (await records.waitingRetries()) > 300);
    await inbox.waitForCallbacks(calls, 240_000);
    const callIds = await accepted;
    await stack.untilSettled();

    expect(percentile(await latencies, 0.5)).toBeLessThan(6_000);
    expect(callIds.filter((callId) => flaky.countBy(callId) !== 3)).toEqual([]);
    const results = callIds.map((callId) => inbox.byCallId(callId).map(({ headers }) => headers));
    expect(results.filter(([result]) => result?.['x-function-status'] !== '200' || result['x-retry'] !== '2')).toEqual(
      [],
    );
    expect(results.filter(({ length }) => length !== 1)).toEqual([]);
    const waits = callIds.map((callId) => waitsMs(flaky, callId));
    expect(Math.min(...waits.map(([first = 0]) => first))).toBeGreaterThanOrEqual(1_000 - grainMs);
    expect(Math.min(...waits.map(([, second = 0]) => second))).toBeGreaterThanOrEqual(2_000 - grainMs);
    expect(await stack.worker.metric('queue_worker_retries_total')).toBe(2 * calls);
  });
});
