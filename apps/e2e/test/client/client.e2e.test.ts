import { AsyncfnClient, hasEnded } from '@asyncfn/client';
import type { Stack } from '@asyncfn/stack';
import { echo, gate, startTestFunction, status, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from '../harness/stack.ts';

const held = gate();
let target: TestFunction;
let holding: TestFunction;
let failing: TestFunction;
let stack: Stack;
let client: AsyncfnClient;

beforeAll(async () => {
  target = await startTestFunction({ handler: echo });
  holding = await startTestFunction({ handler: held.handler });
  failing = await startTestFunction({ handler: status(418) });
  stack = await startStack({
    functions: { echo: target.url, holding: holding.url, failing: failing.url },
  });
  client = new AsyncfnClient({ url: stack.gateway.url });
});

afterAll(async () => {
  held.open();
  await stack?.[Symbol.asyncDispose]();
  await Promise.all([target?.close(), holding?.close(), failing?.close()]);
});

test('a call is made, waited for and read', async () => {
  const body = Uint8Array.of(0, 255, 10);
  const { callId, status: accepted } = await client.call('echo', body, { path: '/a', labels: ['one'] });
  expect(accepted).toBe('queued');
  const state = await client.wait(callId);
  expect(state).toMatchObject({ callId, function: 'echo', status: 'succeeded', functionStatus: 200, labels: ['one'] });
  const result = await client.result(callId);
  expect(result).toMatchObject({ status: 200, ok: true, body });
  expect(await client.attempts(callId)).toMatchObject([{ attempt: 1, verdict: 'succeeded', status: 200 }]);
});

test('the result of a failed call is what its function answered', async () => {
  const { callId } = await client.call('failing', { a: 1 });
  expect(await client.wait(callId)).toMatchObject({ status: 'failed', functionStatus: 418 });
  expect(await client.result(callId)).toMatchObject({ status: 418, ok: false });
});

test('a call that takes longer than the wait is not over, and can be cancelled', async () => {
  const { callId } = await client.call('holding');
  const state = await client.wait(callId, { timeoutMs: 300 });
  expect(hasEnded(state)).toBe(false);
  await expect(client.result(callId)).rejects.toMatchObject({ code: 'not_ended', status: 409 });
  expect(await client.cancel(callId)).toMatchObject({ callId, status: 'cancelled' });
  await expect(client.cancel(callId)).rejects.toMatchObject({ code: 'already_ended' });
  expect(await client.wait(callId)).toMatchObject({ status: 'cancelled' });
});

test('the same key is the same call', async () => {
  const first = await client.call('echo', 'x', { idempotencyKey: 'order-1' });
  const second = await client.call('echo', 'x', { idempotencyKey: 'order-1' });
  expect(second).toEqual({ ...first, replayed: true });
  await expect(client.call('echo', 'y', { idempotencyKey: 'order-1' })).rejects.toMatchObject({
    code: 'idempotency_key_reused',
    status: 422,
    idempotencyKey: 'order-1',
  });
});

test('a call may be answered with its result, or accepted if that takes longer', async () => {
  const { result, ...receipt } = await client.call('echo', 'at once', { waitMs: 30_000, idempotencyKey: 'prefer-1' });
  expect(receipt).toMatchObject({ function: 'echo', status: 'succeeded', replayed: false });
  expect(result).toMatchObject({ status: 200, ok: true });
  expect(result?.text()).toBe('at once');
  expect(await client.get(receipt.callId)).toMatchObject({ status: 'succeeded' });
  const again = await client.call('echo', 'at once', { waitMs: 30_000, idempotencyKey: 'prefer-1' });
  expect([again.callId, again.replayed, again.result?.text()]).toEqual([receipt.callId, true, 'at once']);

  const slow = await client.call('holding', 'x', { waitMs: 1_000 });
  expect(slow).toMatchObject({ status: 'queued', result: undefined });
  await client.cancel(slow.callId);
  expect(await client.call('failing', 'x', { waitMs: 30_000 })).toMatchObject({
    status: 'failed',
    result: { status: 418 },
  });
  await expect(client.call('echo', 'x', { waitMs: 60_001 })).rejects.toMatchObject({ code: 'invalid_option' });
});

test('what the gateway refuses has the code of the problem', async () => {
  await expect(client.call('missing')).rejects.toMatchObject({ name: 'ProblemError', code: 'unknown_function' });
  await expect(client.get('missing')).rejects.toMatchObject({ code: 'call_not_found', status: 404 });
  await expect(client.call('echo', '', { delay: 'soon' })).rejects.toMatchObject({ code: 'invalid_delay' });
});
