import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, gate, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { percentile } from './harness/timing.ts';

interface BrokerReport {
  readonly subscriptions: number;
  readonly api: { readonly total: number };
}

/** A page of nats-server's monitoring. */
async function monitor({ nats }: Stack, page: 'varz' | 'jsz'): Promise<BrokerReport> {
  return (await (await fetch(`${nats.monitorUrl}/${page}`)).json()) as BrokerReport;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

test('1,000 clients that wait are answered when their calls end, and cost little until then', async () => {
  const count = 1_000;
  const held = gate();
  await using fn = await startTestFunction({ handler: held.handler });
  await using stack = await startStack({ functions: { fn: fn.url }, gateways: 2 });
  await using client = new ApiClient(stack.gateway.url, 20);
  await using calls = new CallClient(stack.gateways[1]!.url, count);
  const callIds = await client.acceptMany('fn', count);
  const answers = callIds.map(async (callId) => {
    const state = await calls.state(callId, '?wait=2m');
    return { state, at: performance.now() };
  });
  await fn.waitForInvocations(100);
  await eventually(async () => (await monitor(stack, 'varz')).subscriptions > count);
  await pause(2_000);
  const before = (await monitor(stack, 'jsz')).api.total;
  await pause(3_000);
  // The requests that gateways and workers make in any case; two a second for each client would be 6,000.
  expect((await monitor(stack, 'jsz')).api.total - before).toBeLessThan(300);
  held.open();
  const ended = await Promise.all(answers);
  expect(ended.filter(({ state }) => state.status !== 'succeeded')).toEqual([]);
  const late = ended.map(({ state, at }) => performance.timeOrigin + at - Date.parse(String(state['endedAt'])));
  expect(percentile(late, 0.99)).toBeLessThan(30_000);
});
