import { ApiClient, CallClient } from '@asyncfn/stack';
import { startTestFunction, status } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { followCalls, order } from './harness/follow-calls.ts';
import { startStack } from './harness/stack.ts';

describe('a call is never unknown, and never goes back', () => {
  const retry = { attempts: 3, minWait: '50ms', maxWait: '50ms', backoff: 'exponential' };

  test('while it and a thousand others are moved by two workers', async () => {
    const handler = status(503, { times: 1 });
    await using fn = await startTestFunction({ handler, keepBodies: false });
    await using stack = await startStack({ functions: { fn: { url: fn.url, retry } }, gateways: 2, workers: 2 });
    await using client = new ApiClient(stack.gateway.url, 10);
    await using calls = new CallClient(stack.gateways[1]!.url, 20);
    const { seen, asked } = await followCalls(1_000, client, calls);
    expect(seen).toHaveLength(1_000);
    expect(seen.filter((each) => !order.test(each))).toEqual([]);
    expect(asked).toBeGreaterThan(2_000);
  });
});
