import { ApiClient } from '@asyncfn/stack';
import { startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { startedAt } from './harness/timing.ts';

test('10,000 calls that are due in the same second start soon after it, and none early', async () => {
  const count = 10_000;
  await using target = await startTestFunction({ keepBodies: false, handler: (_, response) => void response.end() });
  await using stack = await startStack({ functions: { target: target.url }, workers: 0 });
  await using client = new ApiClient(stack.gateway.url);
  // How long this machine takes for as many calls without a delay. It may be busy with other work.
  const begunAt = performance.now();
  await client.acceptMany('target', count);
  await stack.startWorker();
  await target.waitForInvocations(count);
  const [first, last] = [target.invocations[0], target.invocations[count - 1]];
  const atOnceMs = (last?.at ?? Number.NaN) - (first?.at ?? Number.NaN);
  await stack.untilSettled();

  // All of them are accepted by then: it takes about as long as accepting and running those before.
  const due = Math.ceil((Date.now() + 30_000 + 2 * (performance.now() - begunAt)) / 1000) * 1000;
  const headers = { 'X-Not-Before': new Date(due).toISOString() };
  const ids = await client.acceptMany('target', count, { headers });
  expect(Date.now()).toBeLessThan(due);
  expect(target.invocations).toHaveLength(count);
  await target.waitForInvocations(2 * count, due - Date.now() + 180_000);
  await stack.untilSettled();
  const late = ids.map((callId) => startedAt(target, callId) - due).sort((a, b) => a - b);
  expect(new Set(ids.map((callId) => target.countBy(callId)))).toEqual(new Set([1]));
  expect(late[0]).toBeGreaterThanOrEqual(0);
  expect(late.at(-1)).toBeLessThan(15_000 + 3 * atOnceMs);
});
