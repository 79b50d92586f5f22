import type { Call } from '@asyncfn/queue-core';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { testToken, tokensOf } from './test-tokens.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway[Symbol.asyncDispose]());

/** The headers that a worker sends to a receiver. */
const callback = {
  'X-Call-Id': 'call-0',
  'X-Function-Name': 'before',
  'X-Function-Status': '200',
  'X-Duration-Seconds': '0.1',
  'X-Start-Time': '1700000000000000000',
  'X-Retry': '0',
  'X-Retry-Max': '10',
  'X-Replays': '0',
  'X-Chain-Depth': '1',
};

async function enqueue(target: string, headers: Record<string, string>, at = gateway) {
  const answer = await request(`${at.url}/async-function/${target}`, { method: 'POST', headers, body: 'result' });
  const body = (await answer.body.json()) as Record<string, unknown>;
  return { status: answer.statusCode, headers: answer.headers, body };
}

async function stored(target: string, headers: Record<string, string>, at = gateway): Promise<Call> {
  expect(await enqueue(target, headers, at)).toMatchObject({ status: 202 });
  return at.queue.last;
}

describe('a callback to another function', () => {
  test('makes a call with an id of its own that names the call it follows', async () => {
    const answer = await enqueue('echo/a?b=c', callback);
    const { call, ...how } = gateway.queue.accepted.at(-1)!;
    expect(how).toMatchObject({ unique: true, derived: true, key: undefined });
    expect(call).toMatchObject({ parentId: 'call-0', chainDepth: 1, path: '/a', query: 'b=c' });
    expect(call.id).not.toBe('call-0');
    expect(answer).toMatchObject({ headers: { 'x-call-id': call.id }, body: { callId: call.id, status: 'queued' } });
  });

  test('has the same id at each delivery, and another one for another target or replay', async () => {
    const { id } = await stored('echo/a?b', callback);
    expect((await stored('echo/a?b', { ...callback, 'X-Retry': '3', 'X-Function-Status': '500' })).id).toBe(id);
    const others = [
      await stored('echo/a?c', callback),
      await stored('echo/b?b', callback),
      await stored('hash.prod/a?b', callback),
      await stored('echo/a?b', { ...callback, 'X-Call-Id': 'call-1' }),
      await stored('echo/a?b', { ...callback, 'X-Start-Time': '1600000000000000000' }),
      await stored('echo/a?b', { ...callback, 'X-Replays': '1' }),
    ];
    expect(new Set([id, ...others.map((call) => call.id)]).size).toBe(7);
  });

  test('of another token is another call', async () => {
    const [one, other] = [testToken('one', { scopes: ['invoke'] }), testToken('other', { scopes: ['invoke'] })];
    const tokens = tokensOf([one, other]);
    await using guarded = await startTestGateway({ tokens: () => tokens });
    // The credentials of a callback URL, as the worker sends them.
    const first = await stored('echo', { ...callback, Authorization: one.basic }, guarded);
    const second = await stored('echo', { ...callback, Authorization: other.basic }, guarded);
    expect(first.id).not.toBe(second.id);
  });

  test('that was delivered before gets the same answer again', async () => {
    const { id } = await stored('echo', callback);
    gateway.queue.answer = () => ({ kind: 'replayed', earlier: { callId: id, startTime: '17' } });
    expect(await enqueue('echo', callback)).toMatchObject({
      status: 202,
      headers: { 'x-call-id': id, 'idempotency-replayed': 'true' },
    });
  });
});

describe('a chain that is too long', () => {
  test.each([
    ['a callback', { ...callback, 'X-Chain-Depth': '33' }],
    ['any call', { 'X-Chain-Depth': '33' }],
    [
      'a call from within the deepest one',
      { 'X-Call-Id': 'c', 'X-Start-Time': '1', 'X-Retry': '0', 'X-Chain-Depth': '32' },
    ],
  ])('ends with 508 for %s, which is final', async (_, headers) => {
    expect(await enqueue('echo', headers)).toMatchObject({
      status: 508,
      headers: { 'x-non-retryable': 'true', 'content-type': 'application/problem+json' },
      body: { code: 'chain_too_deep', detail: expect.stringContaining('32 hops') },
    });
    expect(gateway.queue.accepted).toEqual([]);
  });

  test('is one of more than 32 hops', async () => {
    expect(await stored('echo', { ...callback, 'X-Chain-Depth': '32' })).toMatchObject({ chainDepth: 32 });
    expect(await stored('echo', { ...callback, 'X-Chain-Depth': '0' })).not.toHaveProperty('chainDepth');
  });
});

test('a function that passes on the headers that it got makes a new call each time, which follows its own', async () => {
  const passedOn = {
    'X-Call-Id': 'call-0',
    'X-Start-Time': '1700000000000000000',
    'X-Retry': '1',
    'X-Retry-Max': '10',
  };
  const calls = [await stored('echo', passedOn), await stored('echo', passedOn)];
  expect(calls).toMatchObject([
    { parentId: 'call-0', chainDepth: 1 },
    { parentId: 'call-0', chainDepth: 1 },
  ]);
  expect(new Set(['call-0', ...calls.map(({ id }) => id)]).size).toBe(3);
  expect(gateway.queue.accepted.map(({ unique, derived }) => [unique, derived])).toEqual([
    [false, false],
    [false, false],
  ]);
});

test('an id that is in use is refused with advice for functions', async () => {
  gateway.queue.answer = () => ({ kind: 'refused', reason: 'conflict', detail: '' });
  const { status, headers, body } = await enqueue('echo', { 'X-Call-Id': 'call-0' });
  expect([status, body['code'], body['detail']]).toEqual([
    409,
    'call_id_conflict',
    expect.stringContaining('X-Start-Time and X-Retry'),
  ]);
  // A call that is known now is forgotten later.
  expect(headers).not.toHaveProperty('x-non-retryable');
});

test.each<[string, Record<string, string>, string]>([
  ['a.b.c', {}, 'invalid_function_name'],
  ['echo/..%2f..', {}, 'invalid_path'],
  ['echo', { 'X-Callback-Url': '/next' }, 'invalid_callback_url'],
  ['echo', { 'X-Replays': '-1' }, 'invalid_replays'],
  ['echo', { 'X-Chain-Depth': 'deep' }, 'invalid_chain_depth'],
  ['echo', { 'X-Large': 'x'.repeat(17_000) }, 'headers_too_large'],
])('a callback to %s that can never be accepted (%j) is told so', async (target, headers, code) => {
  const answer = await enqueue(target, { ...callback, ...headers });
  expect(answer).toMatchObject({ headers: { 'x-non-retryable': 'true' }, body: { code } });
});

test.each([
  ['unknown', {}, 'unknown_function'],
  ['echo', { 'X-Callback-Url': 'http://10.0.0.1/' }, 'callback_not_allowed'],
])('a callback to %s that an operator can help (%j) is worth another try', async (target, headers, code) => {
  const answer = await enqueue(target, { ...callback, ...headers });
  expect(answer).toMatchObject({ body: { code } });
  expect(answer.headers).not.toHaveProperty('x-non-retryable');
});
