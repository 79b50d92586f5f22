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
  fn = await startTestFunction({ handler: (_, response) => void response.end() });
  stack = await startStack({
    functions: { fn: { url: fn.url, retry: { attempts: 2, minWait: '100ms', maxWait: '100ms' } } },
    gatewayEnv: { MAX_BODY_BYTES: `${limit}B`, OFFLOAD_BYTES: `${offload}B` },
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

/** Nothing refers to a body any more. */
const untilEmpty = () => eventually(async () => (await store.messages()) === 0);

/** Without a length, in pieces. */
async function postPieces(pieces: AsyncIterable<Buffer>, signal?: AbortSignal) {
  const options = {
    method: 'POST',
    body: ReadableStream.from(pieces),
    duplex: 'half',
    signal: signal ?? null,
  } as const;
  const answer = await fetch(`${stack.gateway.url}/async-function/fn`, options);
  return { status: answer.status, callId: answer.headers.get('x-call-id') ?? '' };
}

async function* inPieces(body: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < body.length; at += 10_000) {
    yield body.subarray(at, at + 10_000);
  }
}

describe('a body of', () => {
  test.each([offload - 1, offload, offload + 1, limit])(
    '%i bytes reaches its function as it was sent',
    async (length) => {
      fn.handler = (_, response) => void response.end();
      const body = randomBytes(length);
      const callIds = [await client.accept('fn', { body }), (await postPieces(inPieces(body))).callId];
      for (const callId of callIds) {
        await calls.until(callId, 'succeeded');
        const [invocation] = fn.byCallId(callId);
        expect(invocation?.body.equals(body)).toBe(true);
        expect(invocation?.headers).toMatchObject({ 'content-length': String(length) });
        expect(invocation?.headers).not.toHaveProperty('transfer-encoding');
      }
      await untilEmpty();
    },
  );

  test('more than the largest size is refused, and nothing of it stays', async () => {
    const body = randomBytes(limit + 1);
    const answer = await client.call('fn', { body });
    expect(answer).toMatchObject({ status: 413, code: 'body_too_large' });
    expect(await postPieces(inPieces(body))).toMatchObject({ status: 413 });
    await untilEmpty();
  });
});

describe('a large body', () => {
  test('comes with every attempt, and the log has its size', async () => {
    fn.handler = status(503, { times: 2 });
    const callId = await client.accept('fn', { body: large });
    await calls.until(callId, 'succeeded');
    const digests = fn.byCallId(callId).map(({ body }) => createHash('sha256').update(body).digest('hex'));
    expect(digests).toEqual(Array.from({ length: 3 }, () => createHash('sha256').update(large).digest('hex')));
    const accepted = stack.gateway.logs.find((line) => line['callId'] === callId);
    expect(accepted).toMatchObject({ msg: 'call accepted', bytes: large.length });
    await untilEmpty();
  });

  test('stays with its dead letter, comes again with a replay, and goes when the dead letter goes', async () => {
    fn.handler = status(400);
    const [callId, dropped] = [await client.accept('fn', { body: large }), await client.accept('fn', { body: large })];
    await calls.until(callId, 'failed');
    await calls.until(dropped, 'failed');
    const letters = `${stack.gateway.url}/system/dead-letters`;
    await eventually(async () => (await fetch(`${letters}/${callId}`)).ok && (await fetch(`${letters}/${dropped}`)).ok);
    fn.handler = (_, response) => void response.end();
    const functions = `${stack.gateway.url}/system/functions/fn`;
    expect((await fetch(`${functions}/pause`, { method: 'POST' })).ok).toBe(true);
    expect((await fetch(`${letters}/${callId}/replay`, { method: 'POST' })).status).toBe(202);
    expect((await fetch(`${functions}/resume`, { method: 'POST' })).ok).toBe(true);
    await calls.until(callId, 'succeeded');
    expect(fn.byCallId(callId).map(({ body }) => body.equals(large))).toEqual([true, true]);
    await eventually(async () => (await store.messages()) === 13);
    expect((await fetch(`${letters}/${dropped}`, { method: 'DELETE' })).status).toBe(204);
    expect(await store.messages()).toBe(0);
  });

  test('comes in the order of its flow key, and with a replay as well', async () => {
    let refuses = true;
    fn.handler = (_, response) => {
      response.statusCode = refuses ? 400 : 200;
      refuses = false;
      response.end();
    };
    const headers = { 'X-Flow-Key': 'one', 'X-Flow-Control': 'parallelism=1' };
    const bodies = [large, randomBytes(large.length), randomBytes(large.length)];
    const ids: string[] = [];
    for (const body of bodies) {
      ids.push(await client.accept('fn', { body, headers }));
    }
    const [first = '', ...others] = ids;
    await calls.until(first, 'failed');
    for (const callId of others) {
      await calls.until(callId, 'succeeded');
    }
    const sent = () => fn.invocations.filter(({ callId }) => ids.includes(String(callId)));
    expect(sent().map(({ body }) => bodies.findIndex((each) => each.equals(body)))).toEqual([0, 1, 2]);
    const letter = `${stack.gateway.url}/system/dead-letters/${first}`;
    await eventually(async () => (await fetch(letter)).ok);
    expect((await fetch(`${letter}/replay`, { method: 'POST' })).status).toBe(202);
    await calls.until(first, 'succeeded');
    expect(sent().at(-1)?.body.equals(large)).toBe(true);
  });

  test('has a digest that tells calls of an Idempotency-Key apart, and is stored once', async () => {
    fn.handler = (_, response) => void response.end();
    const before = await store.messages();
    const key = (value: string) => ({ headers: { 'Idempotency-Key': value } });
    const first = await client.call('fn', { body: large, ...key('one') });
    const again = await client.call('fn', { body: large, ...key('one') });
    const other = await client.call('fn', { body: randomBytes(large.length), ...key('one') });
    expect([first.status, again.status, other.status]).toEqual([202, 202, 422]);
    expect(again.callId).toBe(first.callId);
    expect(again.headers).toMatchObject({ 'idempotency-replayed': 'true' });
    await calls.until(first.callId, 'succeeded');
    expect(fn.byCallId(first.callId)).toHaveLength(1);
    await eventually(async () => (await store.messages()) <= before);
  });

  test('goes with its call when that is cancelled or purged', async () => {
    const functions = `${stack.gateway.url}/system/functions/fn`;
    expect((await fetch(`${functions}/pause`, { method: 'POST' })).ok).toBe(true);
    const before = await store.messages();
    const [cancelled, purged] = [
      await client.accept('fn', { body: large }),
      await client.accept('fn', { body: large }),
    ];
    expect(await store.messages()).toBe(before + 26);
    expect(await calls.ask(cancelled, '', 'DELETE')).toMatchObject({ status: 202 });
    await eventually(async () => (await store.messages()) <= before + 13);
    expect((await fetch(`${functions}/purge`, { method: 'POST' })).ok).toBe(true);
    await calls.until(purged, 'cancelled');
    await eventually(async () => (await store.messages()) <= before);
    expect((await fetch(`${functions}/resume`, { method: 'POST' })).ok).toBe(true);
  });

  test('stays with the dead letter of a call that expires, and comes with its replay', async () => {
    fn.handler = (_, response) => void response.end();
    const functions = `${stack.gateway.url}/system/functions/fn`;
    expect((await fetch(`${functions}/pause`, { method: 'POST' })).ok).toBe(true);
    const callId = await client.accept('fn', { body: large, headers: { 'X-Expires-In': '1s' } });
    await calls.until(callId, 'expired');
    const letter = `${stack.gateway.url}/system/dead-letters/${callId}`;
    await eventually(async () => (await fetch(letter)).ok);
    expect((await fetch(`${functions}/resume`, { method: 'POST' })).ok).toBe(true);
    expect((await fetch(`${letter}/replay`, { method: 'POST' })).status).toBe(202);
    await calls.until(callId, 'succeeded');
    expect(fn.byCallId(callId).map(({ body }) => body.equals(large))).toEqual([true]);
  });

  test('that is damaged never reaches its function as a whole, and the attempt says so', async () => {
    fn.handler = (_, response) => void response.end();
    const functions = `${stack.gateway.url}/system/functions/fn`;
    expect((await fetch(`${functions}/pause`, { method: 'POST' })).ok).toBe(true);
    const callId = await client.accept('fn', { body: large, headers: { 'X-Max-Retries': '0' } });
    await store.breakAll();
    expect((await fetch(`${functions}/resume`, { method: 'POST' })).ok).toBe(true);
    await calls.until(callId, 'failed');
    expect(fn.byCallId(callId).every(({ aborted, body }) => aborted && body.length === 0)).toBe(true);
    const attempts = await (await fetch(`${stack.gateway.url}/async-function/${callId}/attempts`)).json();
    expect(attempts).toMatchObject({ attempts: [{ error: 'unreachable: body_missing', verdict: 'failed' }] });
    // The next one is not affected.
    const next = await client.accept('fn', { body: large });
    await calls.until(next, 'succeeded');
  });

  test('of a client that leaves is removed', async () => {
    const before = await store.messages();
    const leaving = new AbortController();
    const pieces = async function* (): AsyncGenerator<Buffer> {
      yield large;
      await eventually(async () => (await store.messages()) > before + 2);
      leaving.abort();
      yield large;
    };
    await expect(postPieces(pieces(), leaving.signal)).rejects.toThrow();
    await eventually(async () => (await store.messages()) <= before);
  });

  test('is called back and shown as any other', async () => {
    await using inbox = await startCallbackReceiver();
    fn.handler = (_, response) => void response.end('done');
    const callId = await client.accept('fn', { body: large, callbackUrl: inbox.url });
    const [callback] = await inbox.waitForCallbacks(1);
    expect(callback?.body.toString()).toBe('done');
    expect(await calls.until(callId, 'succeeded')).toMatchObject({ functionStatus: 200 });
  });
});
