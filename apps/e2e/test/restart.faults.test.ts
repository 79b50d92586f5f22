import { ApiClient } from '@asyncfn/stack';
import { eventually, gate, startCallbackReceiver, startTestFunction, status } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { Records } from './harness/broker/records.ts';
import { startStack } from './harness/stack.ts';

const retries = 1_000;
const callbacks = 200;
/** Long enough for all of them to wait at once, and everything to be stopped meanwhile. */
const waitMs = 20_000;

describe('1,000 retries and 200 callbacks that wait while everything is stopped and started again', () => {
  test.for(['SIGTERM', 'SIGKILL'] as const)('each end once (%s)', async (signal) => {
    const retry = { attempts: 3, minWait: `${waitMs}ms`, maxWait: `${waitMs}ms`, backoff: 'exponential' };
    // Nothing is attempted before all are accepted, however slow that is.
    const [flakyGate, steadyGate] = [gate(status(503, { times: 1 })), gate()];
    await using flaky = await startTestFunction({ handler: flakyGate.handler });
    await using steady = await startTestFunction({ handler: steadyGate.handler });
    await using inbox = await startCallbackReceiver();
    await using stumbling = await startCallbackReceiver({ respond: status(500, { times: 1 }) });
    await using stack = await startStack({
      functions: { flaky: { url: flaky.url, retry }, steady: steady.url },
      workerEnv: { CALLBACK_RETRY_SCHEDULE: `${waitMs}ms,1s,1s` },
    });
    await using records = await Records.open(stack.nats.url);
    await using client = new ApiClient(stack.gateway.url);
    const told = await client.acceptMany('steady', callbacks, { callbackUrl: stumbling.url });
    const retried = await client.acceptMany('flaky', retries, { callbackUrl: inbox.url });
    flakyGate.open();
    steadyGate.open();
    await eventually(async () => (await records.waitingRetries()) === retries);
    // Callbacks without a slot at the receiver wait for a second before they are tried.
    await stumbling.waitForCallbacks(callbacks);
    await eventually(async () => (await records.waitingCallbacks()) === callbacks);
    // Everything else is complete.
    await eventually(async () => (await stack.queued()) === retries);

    for (const each of [stack.worker, stack.gateway]) {
      each.kill(signal);
      await each.exited;
    }
    stack.nats.signal(signal);
    await stack.nats.exited;
    expect([flaky.invocations.length, inbox.callbacks.length, stumbling.callbacks.length]).toEqual([
      retries,
      0,
      callbacks,
    ]);
    await stack.nats.restart();
    await Promise.all([stack.startGateway(), stack.startWorker()]);

    await inbox.waitForCallbacks(retries);
    await stumbling.waitForCallbacks(2 * callbacks);
    await stack.untilSettled();
    expect(await stack.untilAudited()).toBe(0);
    await eventually(async () => (await records.storedCallbacks()) === 0);
    const outcomes = await records.outcomes();
    expect(outcomes.size).toBe(retries + callbacks);
    expect(new Set(outcomes.values())).toEqual(new Set([1]));
    expect(retried.filter((callId) => flaky.countBy(callId) !== 2)).toEqual([]);
    expect(told.filter((callId) => steady.countBy(callId) !== 1)).toEqual([]);
    expect(retried.filter((callId) => inbox.byCallId(callId).length !== 1)).toEqual([]);
    // A nats-server that is killed may forget an ack of the moment before, and deliver a callback again.
    const most = signal === 'SIGTERM' ? 2 : 3;
    const counts = told.map((callId) => stumbling.byCallId(callId).length);
    expect(counts.filter((count) => count < 2 || count > most)).toEqual([]);
    expect(new Set(inbox.callbacks.map(({ headers }) => headers['x-function-status']))).toEqual(new Set(['200']));
  });
});
