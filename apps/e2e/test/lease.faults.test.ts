import { ApiClient } from '@asyncfn/stack';
import { sleep, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

/** A worker that stands still for longer loses its calls, rightly. */
const ackWaitMs = 5_000;

describe('a function that takes three times ACK_WAIT', () => {
  test.concurrent.for([1, 2])('is invoked once by %i worker(s)', async (workers) => {
    await using fn = await startTestFunction({ handler: sleep(3 * ackWaitMs + 300) });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { slow: fn.url },
      workers,
      workerEnv: { ACK_WAIT: `${ackWaitMs}ms` },
    });
    await using client = new ApiClient(stack.gateway.url);
    const callIds = await client.acceptMany('slow', 20, { callbackUrl: inbox.url });
    await inbox.waitForCallbacks(callIds.length);
    await stack.untilSettled();

    expect(callIds.map((callId) => fn.countBy(callId))).toEqual(callIds.map(() => 1));
    expect(callIds.map((callId) => inbox.byCallId(callId).length)).toEqual(callIds.map(() => 1));
  });
});
