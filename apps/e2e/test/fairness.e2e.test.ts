import { ApiClient } from '@asyncfn/stack';
import { gate, sleep, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const backlog = 3_000;
const fastCalls = 10;
const slots = 100;

describe('one worker with 100 slots and 3,000 calls of a slow function in its queue', () => {
  test.for([
    ['2 s', 2_000],
    ['ten minutes, so that no slot comes free', 600_000],
  ] as const)('ends 10 calls of a fast function at once while the slow ones take %s', async ([, slowMs]) => {
    await using slow = await startTestFunction({ handler: sleep(slowMs) });
    await using fast = await startTestFunction();
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { slow: slow.url, fast: fast.url },
      workerEnv: { MAX_INFLIGHT: String(slots) },
    });
    await using client = new ApiClient(stack.gateway.url, 100);
    await client.acceptMany('slow', backlog);
    await slow.waitForInvocations(slots - 1);

    await client.acceptMany('fast', fastCalls, { callbackUrl: inbox.url });
    // In the order of arrival they would come after all the slow ones.
    await inbox.waitForCallbacks(fastCalls);
    expect(slow.invocations.length).toBeLessThan(backlog / 2);
    expect(slow.maxInFlight).toBeLessThanOrEqual(slots);
  });

  test('gives its slots to a second slow function as they become free', async () => {
    // Nothing ends before all are accepted, however slow that is.
    const [ofFirst, ofSecond] = [gate(sleep(200)), gate(sleep(200))];
    await using first = await startTestFunction(ofFirst);
    await using second = await startTestFunction(ofSecond);
    await using stack = await startStack({
      functions: { first: first.url, second: second.url },
      workerEnv: { MAX_INFLIGHT: String(slots) },
    });
    await using client = new ApiClient(stack.gateway.url, 100);
    await client.acceptMany('first', 2_000);
    await client.acceptMany('second', 500);
    ofFirst.open();
    ofSecond.open();
    await second.waitForInvocations(500);

    // The second had as many slots as the first for as long as both had waiting calls.
    expect(second.maxInFlight).toBeGreaterThan(0.3 * slots);
    expect(first.invocations.length).toBeLessThan(2_000);
  });
});
