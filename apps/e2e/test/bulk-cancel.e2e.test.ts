import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import {
  eventually,
  type Gate,
  gate,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let held: Gate;
let fn: TestFunction;
let flaky: TestFunction;
let client: ApiClient;
let calls: CallClient;

beforeAll(async () => {
  held = gate();
  fn = await startTestFunction({ handler: held.handler });
  flaky = await startTestFunction({ handler: status(503) });
  stack = await startStack({
    functions: {
      fn: { url: fn.url, concurrency: 1 },
      flaky: { url: flaky.url, retry: { minWait: '1h', maxWait: '1h' } },
    },
  });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
});

afterAll(async () => {
  await Promise.all([client, calls, stack, fn, flaky].map((part) => part[Symbol.asyncDispose]()));
});

interface Answer {
  readonly cancelled: number;
  readonly complete: boolean;
}

async function cancel(body: object): Promise<Answer> {
  const answer = await fetch(`${stack.gateway.url}/system/calls/cancel`, {
    method: 'POST',
    body: JSON.stringify(body),
  });
  expect(answer.status).toBe(202);
  return (await answer.json()) as Answer;
}

const labelled = (label: string, more: Record<string, string> = {}) => ({ headers: { 'X-Label': label, ...more } });

test('calls with a label are cancelled wherever they are, and no others, each as if alone', async () => {
  await using inbox = await startCallbackReceiver();
  const running = await client.accept('fn', { ...labelled('a=1'), callbackUrl: inbox.url });
  await calls.until(running, 'running');
  const chain = await client.accept('fn', labelled('a=1', { 'X-Then': 'flaky' }));
  const scheduled = await client.accept('fn', labelled('a=1', { 'X-Delay': '1h' }));
  const retrying = await client.accept('flaky', labelled('a=1, c=3'));
  await calls.until(retrying, 'retrying');
  const spared = await client.accept('fn', labelled('b=2'));
  const item = { function: 'fn', headers: { 'X-Label': 'a=1' } };
  const batch = await fetch(`${stack.gateway.url}/async-batch`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ calls: [item, item], callbackUrl: inbox.url }),
  });
  const { batchId } = (await batch.json()) as { batchId: string };

  const first = await cancel({ label: 'a=1', limit: 2 });
  expect(first).toEqual({ cancelled: 2, complete: false });
  const rest = await cancel({ label: 'a=1' });
  expect(rest).toEqual({ cancelled: 4, complete: true });
  expect(await cancel({ label: 'a=1' })).toEqual({ cancelled: 0, complete: true });

  for (const callId of [running, chain, scheduled, retrying, `${batchId}-0`, `${batchId}-1`]) {
    expect(await calls.state(callId), callId).toMatchObject({ status: 'cancelled' });
  }
  await eventually(() => fn.byCallId(running)[0]?.aborted);
  // The batch has ended, and its receiver is told; that of the call is not.
  const [told] = await inbox.waitForCallbacks(1);
  expect(JSON.parse(String(told?.body))).toMatchObject({ batchId, cancelled: 2, open: 0 });
  held.open();
  expect(await calls.untilEnded(spared)).toMatchObject({ status: 'succeeded' });
  expect(fn.invocations.map(({ headers }) => headers['x-call-id'])).toEqual([running, spared]);
  expect(inbox.callbacks).toHaveLength(1);
});

test('a status, a function and a time select, and a running call is left alone if its status is not named', async () => {
  const closed = gate();
  fn.handler = closed.handler;
  const running = await client.accept('fn');
  await calls.until(running, 'running');
  const queued = await client.acceptMany('fn', 5);
  const delayed = await client.accept('flaky', { headers: { 'X-Delay': '1h' } });
  const before = new Date(Date.now() - 60_000).toISOString();
  expect(await cancel({ function: 'fn', to: before })).toEqual({ cancelled: 0, complete: true });
  expect(await cancel({ function: 'fn', status: ['queued', 'scheduled'] })).toEqual({ cancelled: 5, complete: true });
  expect(await calls.state(running)).toMatchObject({ status: 'running' });
  for (const callId of queued) {
    expect(await calls.state(callId)).toMatchObject({ status: 'cancelled' });
  }
  expect(await cancel({ queue: 'default', status: 'scheduled', from: before })).toEqual({
    cancelled: 1,
    complete: true,
  });
  expect(await calls.state(delayed)).toMatchObject({ status: 'cancelled' });
  closed.open();
  expect(await calls.untilEnded(running)).toMatchObject({ status: 'succeeded' });
});
