import { createHash, randomBytes } from 'node:crypto';
import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, startCallbackReceiver, startTestFunction, status, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBodyStore } from './harness/broker/body-store.ts';
import { startStack } from './harness/stack.ts';

const kibibyte = 1024;
const limit = 4096 * kibibyte;
const offload = 100 * kibibyte;
const large = randomBytes(1_500_001);

let stack: Stack;
let fn: TestFunction;
let client: ApiClient;
let calls: CallClient;
let store: Awaited<ReturnType<typeof openBodyStore>>;

beforeAll(async () => {
  fn = await startTestFunction({ handler: (_, response) => void response.end(large) });
  stack = await startStack({
    functions: { fn: fn.url },
    workerEnv: {
      MAX_RESPONSE_BYTES: `${limit}B`,
      OFFLOAD_BYTES: `${offload}B`,
      CALLBACK_RETRY_SCHEDULE: '100ms,100ms,100ms',
    },
  });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
  store = await openBodyStore(stack.nats.url);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await calls[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await fn[Symbol.asyncDispose]();
});

function get(callId: string, headers: Record<string, string> = {}, method = 'GET') {
  return fetch(`${stack.gateway.url}/async-function/${callId}/result`, { method, headers });
}

async function bytesOf(answer: Response): Promise<Buffer> {
  return Buffer.from(await answer.arrayBuffer());
}

function digestOf(body: Buffer): string {
  return `sha-256=:${createHash('sha256').update(body).digest('base64')}:`;
}

describe('a response', () => {
  test.each([offload - 1, offload, offload + 1, limit])(
    'of %i bytes is the result as the function sent it',
    async (length) => {
      const body = randomBytes(length);
      fn.handler = (_, response) => void response.end(body);
      const callId = await client.accept('fn');
      await calls.until(callId, 'succeeded');
      const whole = await get(callId);
      expect(Object.fromEntries(whole.headers)).toMatchObject({
        'content-length': String(length),
        'repr-digest': digestOf(body),
        'accept-ranges': 'bytes',
      });
      expect((await bytesOf(whole)).equals(body)).toBe(true);
      const part = await get(callId, { range: `bytes=${length - 1_000}-` });
      expect([part.status, part.headers.get('content-range')]).toEqual([
        206,
        `bytes ${length - 1_000}-${length - 1}/${length}`,
      ]);
      expect((await bytesOf(part)).equals(body.subarray(-1_000))).toBe(true);
      const known = await get(callId, { 'if-none-match': whole.headers.get('etag') ?? '' });
      expect(known.status).toBe(304);
      expect((await get(callId, {}, 'HEAD')).headers.get('content-length')).toBe(String(length));
    },
  );

  test('of more than the largest size ends its call, and nothing of it stays', async () => {
    const before = await store.messages();
    fn.handler = (_, response) => void response.end(Buffer.alloc(limit + 1));
    const callId = await client.accept('fn');
    expect(await calls.until(callId, 'failed')).toMatchObject({ reason: 'response_too_large' });
    await eventually(async () => (await store.messages()) === before);
  });
});

describe('a large response', () => {
  beforeAll(() => {
    fn.handler = (_, response) => void response.end(large);
  });

  test('reaches a receiver that was away, and the log has its size', async () => {
    await using inbox = await startCallbackReceiver({ respond: status(503, { times: 2 }) });
    const callId = await client.accept('fn', { callbackUrl: inbox.url });
    const callbacks = await inbox.waitForCallbacks(3);
    expect(callbacks.map(({ body }) => body.equals(large))).toEqual([true, true, true]);
    expect(callbacks[0]?.headers).toMatchObject({ 'content-length': String(large.length) });
    const logged = () => stack.worker.logs.flatMap((line) => (line['callId'] === callId ? (line['bytes'] ?? []) : []));
    // The attempt, and each delivery.
    await eventually(() => logged().length === 4);
    expect(new Set(logged())).toEqual(new Set([large.length]));
  });

  test('is the answer to a request that prefers to wait', async () => {
    const answer = await client.call('fn', { headers: { Prefer: 'wait=30' } });
    expect(answer).toMatchObject({ status: 200, headers: { 'content-length': String(large.length) } });
    expect(answer.headers).toMatchObject({ 'preference-applied': 'wait', 'repr-digest': digestOf(large) });
  });

  test('goes when its call is erased', async () => {
    const before = await store.messages();
    const callId = await client.accept('fn');
    await calls.until(callId, 'succeeded');
    expect(await store.messages()).toBe(before + 13);
    // Until its message has left the queue, it counts as not ended.
    await stack.untilSettled();
    const erased = await fetch(`${stack.gateway.url}/system/calls/${callId}`, { method: 'DELETE' });
    expect(erased.status).toBe(204);
    expect(await store.messages()).toBe(before);
  });

  test('of an operator’s replay of its callback comes as it was', async () => {
    await using inbox = await startCallbackReceiver({ respond: status(503) });
    const callId = await client.accept('fn', { callbackUrl: inbox.url });
    const letter = `${stack.gateway.url}/system/dead-letters/${callId}`;
    await eventually(async () => (await fetch(letter)).ok);
    const before = inbox.callbacks.length;
    inbox.handler = status(204);
    expect((await fetch(`${letter}/replay`, { method: 'POST' })).status).toBe(202);
    await eventually(() => inbox.callbacks.length > before);
    expect(inbox.callbacks.at(-1)?.body.equals(large)).toBe(true);
  });
});
