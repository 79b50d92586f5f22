import { AsyncfnClient, type CallEvent } from '@asyncfn/client';
import type { Stack } from '@asyncfn/stack';
import { allOf, echo, startCallbackReceiver, startTestFunction, status, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from '../harness/stack.ts';

let target: TestFunction;
let failing: TestFunction;
let stack: Stack;
let client: AsyncfnClient;

beforeAll(async () => {
  target = await startTestFunction({ handler: echo });
  failing = await startTestFunction({ handler: status(400) });
  stack = await startStack({
    functions: { echo: target.url, other: target.url, failing: failing.url },
    groups: { both: ['echo', 'other'] },
  });
  client = new AsyncfnClient({ url: stack.gateway.url });
});

afterAll(async () => {
  await stack?.[Symbol.asyncDispose]();
  await Promise.all([target?.close(), failing?.close()]);
});

test('a batch is sent, waited for and read, each call byte for byte', async () => {
  await using receiver = await startCallbackReceiver();
  const bytes = Uint8Array.of(0, 255);
  const receipt = await client.batch(
    [
      { function: 'echo', body: 'text', path: '/a', query: { b: 1 }, labels: ['x'] },
      { function: 'echo', body: { a: 'ä' } },
      { function: 'missing' },
      { function: 'echo', body: bytes, headers: { 'X-Own': ['1', '2'] } },
    ],
    { callbackUrl: `${receiver.url}/done`, callbackHeaders: { 'X-Tenant': 'seven' } },
  );
  expect(receipt).toMatchObject({ accepted: 3, refused: 1, replayed: false });
  expect(receipt.calls[2]).toMatchObject({ status: 'refused', problem: { code: 'unknown_function' } });
  expect(await client.batches.wait(receipt.batchId)).toMatchObject({ total: 3, succeeded: 3, open: 0 });
  const results = await allOf(client.batches.results(receipt.batchId, { pageSize: 2 }));
  expect(results.map(({ index, body }) => [index, body])).toEqual([
    [0, new TextEncoder().encode('text')],
    [1, new TextEncoder().encode('{"a":"ä"}')],
    [3, bytes],
  ]);
  expect(results[1]?.json()).toEqual({ a: 'ä' });
  const of = (index: number) => target.invocations.find(({ callId }) => callId === receipt.calls[index]?.callId);
  expect(of(0)).toMatchObject({ url: '/a?b=1', headers: { 'content-type': 'text/plain;charset=UTF-8' } });
  expect(of(1)?.headers['content-type']).toBe('application/json');
  expect(of(3)?.headers['x-own']).toBe('1, 2');
  const [callback] = await receiver.waitForCallbacks(1);
  expect(callback?.headers).toMatchObject({ 'x-batch-id': receipt.batchId, 'x-tenant': 'seven' });
  await expect(client.batches.cancel(receipt.batchId)).rejects.toMatchObject({ code: 'already_ended' });
});

test('the same key is the same batch, and one that can be cancelled', async () => {
  const calls = [{ function: 'echo', delay: '1h' }];
  const first = await client.batch(calls, { idempotencyKey: 'batch-1' });
  expect(await client.batch(calls, { idempotencyKey: 'batch-1' })).toEqual({ ...first, replayed: true });
  expect(await client.batches.get(first.batchId)).toMatchObject({ open: 1 });
  await client.batches.cancel(first.batchId);
  expect(await client.batches.wait(first.batchId)).toMatchObject({ cancelled: 1 });
  await expect(client.batch([{ function: 'a b' }])).rejects.toThrow('calls.0: function:');
  await expect(client.batch([])).rejects.toMatchObject({ code: 'invalid_batch' });
});

test('a group is called as a batch, and a function is not', async () => {
  const group = await client.callGroup('both', 'x', { path: '/c' });
  expect(group.calls).toHaveLength(2);
  expect(await client.batches.wait(group.batchId)).toMatchObject({ succeeded: 2 });
  await expect(client.call('both', 'x')).rejects.toThrow('both is a group');
  await expect(client.callGroup('echo', 'x')).rejects.toThrow('echo is no group');
});

test('calls are found over all pages, followed, cancelled by filter and erased', async () => {
  const labels = ['search-1'];
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) {
    ids.unshift((await client.call('echo', `${n}`, { labels, delay: n < 2 ? '1h' : 0 })).callId);
  }
  for (const callId of ids.slice(0, 3)) {
    const states = await allOf(client.follow(callId));
    expect(states.at(-1)).toMatchObject({ callId, status: 'succeeded' });
  }
  const found = await allOf(client.calls({ label: 'search-1', limit: 2 }));
  expect(found.map(({ callId }) => callId)).toEqual(ids);
  const page = await client.callsPage({ label: 'search-1', status: ['scheduled'] });
  expect(page).toMatchObject({ complete: true, calls: [{ callId: ids[3] }, { callId: ids[4] }] });
  expect(await client.cancelCalls({ label: 'search-1' })).toEqual({ cancelled: 2, complete: true });
  await client.erase(ids[0]!);
  await expect(client.get(ids[0]!)).rejects.toMatchObject({ code: 'call_not_found' });
  await expect(client.callsPage({ limit: 0 })).rejects.toMatchObject({ code: 'invalid_parameter' });
});

test('events tell what happens to a call', async () => {
  const events = client.events({ function: 'other' });
  const first = events.next();
  // Calls tell that the stream has begun.
  const calling = setInterval(() => void client.call('other', 'before'), 200);
  await first.finally(() => clearInterval(calling));
  const { callId } = await client.call('other', 'x');
  const seen: CallEvent[] = [];
  for await (const event of events) {
    if (event.type !== 'missed' && event.call.callId === callId) {
      seen.push(event);
    }
    if (seen.at(-1)?.type === 'ended') {
      break;
    }
  }
  expect(seen.map(({ type }) => type)).toEqual(['accepted', 'started', 'attempt', 'ended']);
  expect(seen[2]).toMatchObject({ call: { callId, function: 'other' }, attempt: { verdict: 'succeeded' } });
});

test('dead letters are listed, shown, replayed and dropped', async () => {
  const ids = await Promise.all(Array.from({ length: 3 }, async () => (await client.call('failing')).callId));
  await Promise.all(ids.map((callId) => client.wait(callId)));
  const list = () => allOf(client.deadLetters.list({ function: 'failing', limit: 2 }));
  await expect.poll(async () => (await list()).length, { timeout: 90_000 }).toBe(3);
  const [first, second] = ids as [string, string];
  expect(await client.deadLetters.get(first)).toMatchObject({ callId: first, kind: 'call', reason: 'rejected' });
  expect(await client.deadLetters.attempts(first)).toMatchObject([{ status: 400, verdict: 'failed' }]);
  await client.deadLetters.drop(first);
  await expect(client.deadLetters.get(first)).rejects.toMatchObject({ code: 'dead_letter_not_found' });
  await client.deadLetters.replay(second);
  await expect(client.deadLetters.replay(first)).rejects.toMatchObject({ code: 'dead_letter_not_found' });
  await expect.poll(async () => (await client.get(second)).replays, { timeout: 90_000 }).toBe(1);
  expect((await client.deadLetters.replayMany({ function: 'failing' })).replayed).toBeGreaterThanOrEqual(1);
});

test('functions are registered, paused, purged and removed; queues and processes are shown', async () => {
  const { functions, queues } = client;
  expect(await functions.put('mine', { url: target.url, queue: 'own' }, { mustBeNew: true })).toMatchObject({
    name: 'mine',
    queue: 'own',
  });
  await expect(functions.put('mine', { url: target.url }, { mustBeNew: true })).rejects.toMatchObject({
    code: 'precondition_failed',
  });
  await expect(functions.put('mine', { url: 'x' })).rejects.toMatchObject({ code: 'invalid_function' });
  expect(await functions.pause('mine')).toMatchObject({ paused: true });
  await client.call('mine');
  await expect(functions.remove('mine')).rejects.toMatchObject({ code: 'calls_waiting', problem: { calls: 1 } });
  expect(await functions.scaling('mine')).toMatchObject({ pending: 1 });
  expect(await queues.get('own')).toMatchObject({ queue: 'own', depth: 1 });
  expect(await queues.purge('own')).toBe(1);
  await client.call('mine');
  const progress: number[] = [];
  expect(await functions.purge('mine', { onProgress: (purged) => progress.push(purged) })).toBe(1);
  expect(progress).toContain(1);
  expect(await functions.resume('mine')).toMatchObject({ paused: false });
  await functions.pause('mine');
  await client.call('mine');
  await functions.remove('mine', { purge: true });
  await expect(functions.get('mine')).rejects.toMatchObject({ code: 'unknown_function' });
  expect((await functions.list()).map(({ name }) => name)).toEqual(['echo', 'failing', 'other']);
  expect((await queues.list()).map(({ queue }) => queue)).toContain('default');
  const { processes } = await client.processes();
  expect(processes.map(({ kind }) => kind)).toEqual(expect.arrayContaining(['gateway', 'worker']));
  expect(await client.token()).toMatchObject({ needsToken: false });
  expect(await client.info()).toMatchObject({ name: 'asyncfn' });
});
