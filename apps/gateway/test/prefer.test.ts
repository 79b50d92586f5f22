import { setMaxListeners } from 'node:events';
import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BodyBudget } from '../src/http/body-budget.ts';
import { Waiters } from '../src/waiting/waiters.ts';
import { activeCall, endedCall } from './call-fixture.ts';
import { type GatewayOverrides, startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { RawClient } from './raw-client.ts';

let gateway: TestGateway;
let waiters: Waiters;

beforeEach(() => start());

afterEach(() => gateway[Symbol.asyncDispose]());

async function start(overrides: GatewayOverrides = {}): Promise<void> {
  waiters = new Waiters({ inAll: 2, perToken: 2 });
  gateway = await startTestGateway({ waiters, ...overrides });
  setMaxListeners(0, gateway.stopping.signal);
  gateway.calls.states.set('call-1', activeCall('call-1', 'running'));
}

async function restart(overrides: GatewayOverrides): Promise<void> {
  await gateway[Symbol.asyncDispose]();
  await start(overrides);
}

async function call(headers: Record<string, string> = {}) {
  const response = await request(`${gateway.url}/async-function/echo`, {
    method: 'POST',
    headers: { 'X-Call-Id': 'call-1', Prefer: 'wait=60', ...headers },
    body: 'x',
  });
  return { status: response.statusCode, headers: response.headers, text: await response.body.text() };
}

async function endLater(...end: Parameters<typeof endedCall>): Promise<void> {
  await eventually(() => gateway.watches.count === 1);
  gateway.calls.states.set('call-1', endedCall(...end));
  gateway.watches.hear();
}

test('a call that ends in time is answered with its result, as it would be fetched', async () => {
  const headers: [string, string][] = [
    ['Content-Type', 'text/plain'],
    ['X-Own', 'a'],
    ['Refresh', '0'],
  ];
  const [answer] = await Promise.all([call(), endLater('call-1', { functionStatus: 404, status: 'failed', headers })]);
  expect(answer).toMatchObject({ status: 200, text: 'the result' });
  const fetched = await request(`${gateway.url}/async-function/call-1/result`);
  await fetched.body.dump();
  const { date: _, connection: __, 'keep-alive': ___, ...same } = fetched.headers;
  expect(answer.headers).toMatchObject({ ...same, 'x-function-status': '404', 'preference-applied': 'wait' });
  expect(answer.headers['refresh']).toBeUndefined();
  expect(answer.headers['idempotency-replayed']).toBeUndefined();
  expect(waiters.count).toBe(0);
});

test.each([1, 0])(
  'a call that ends after %s s is accepted as usual, and the answer says that it was waited for',
  async (wait) => {
    const answer = await call({ Prefer: `respond-async, wait=${wait}` });
    expect(answer).toMatchObject({ status: 202, headers: { 'preference-applied': 'wait', 'x-call-id': 'call-1' } });
    expect(JSON.parse(answer.text)).toEqual({ callId: 'call-1', function: 'echo', status: 'queued' });
    expect(waiters.count).toBe(0);
  },
);

test.each(['', 'wait', 'wait=soon', 'respond-async'])(
  'without a time to wait (%j), nothing is waited for',
  async (prefer) => {
    const answer = await call({ Prefer: prefer });
    expect(answer.status).toBe(202);
    expect(answer.headers['preference-applied']).toBeUndefined();
    expect(gateway.watches.scopes).toEqual([]);
  },
);

test('a function gets the preference, like other headers', async () => {
  const [answer] = await Promise.all([call(), endLater('call-1')]);
  expect(answer.status).toBe(200);
  expect(gateway.queue.last.headers).toContainEqual(['Prefer', 'wait=60']);
});

test.each([
  ['503', { status: 'failed', reason: 'retries_exhausted', functionStatus: undefined }],
  ['502', { status: 'failed', reason: 'response_too_large', functionStatus: 502 }],
  ['504', { status: 'expired', functionStatus: undefined }],
  ['503', { status: 'cancelled', functionStatus: undefined }],
] as const)(
  'a call that has ended without a response has status %s: %j',
  async (status, { functionStatus, ...fields }) => {
    const end = { ...fields, ...(functionStatus !== undefined && { functionStatus }) };
    const ended = endedCall('call-1', end, '');
    if (functionStatus === undefined) {
      delete (ended.outcome as { functionStatus?: number }).functionStatus;
    }
    gateway.calls.states.set('call-1', ended);
    expect(await call()).toMatchObject({ status: 200, text: '', headers: { 'x-function-status': status } });
  },
);

test('a response that is not kept is not waited for in vain: the call is accepted as usual', async () => {
  gateway.calls.states.set('call-1', endedCall('call-1', { bodyOmitted: 'too_large' }));
  expect(await call()).toMatchObject({ status: 202, headers: { 'preference-applied': 'wait' } });
  await restart({ resultTtlMs: 0 });
  const answer = await call();
  expect(answer.status).toBe(202);
  expect(answer.headers['preference-applied']).toBeUndefined();
});

test('beyond the limits of waiting requests a call is accepted and not waited for', async () => {
  const places = [waiters.admit({ name: undefined }), waiters.admit({ name: undefined })];
  expect(places.map(({ kind }) => kind)).toEqual(['place', 'place']);
  const answer = await call();
  expect(answer.status).toBe(202);
  expect(answer.headers['preference-applied']).toBeUndefined();
});

test('an accepted call is never answered with an error: not without the broker, not without room for its result', async () => {
  gateway.calls.error = new Error('away');
  expect(await call()).toMatchObject({ status: 202, headers: { 'preference-applied': 'wait' } });
  expect(gateway.logs.some(({ msg }) => msg === 'result of a call cannot be waited for')).toBe(true);
  const resultBudget = new BodyBudget({ limitBytes: 150_000 });
  await restart({ resultBudget });
  resultBudget.open(100_000, () => {}, 'other');
  gateway.calls.states.set('call-1', endedCall('call-1', {}, 'x'.repeat(100_000)));
  expect(await call()).toMatchObject({ status: 202, headers: { 'preference-applied': 'wait' } });
  expect(waiters.count).toBe(0);
});

test('a large result is sent within the budget, and its room is free again', async () => {
  const resultBudget = new BodyBudget({ limitBytes: 24 * 1024 * 1024 });
  await restart({ resultBudget });
  gateway.calls.states.set('call-1', endedCall('call-1', {}, 'x'.repeat(8_000_000)));
  await using slow = await RawClient.connect(gateway.port);
  slow.socket.pause();
  const head = 'Host: localhost\r\nX-Call-Id: call-1\r\nPrefer: wait=60\r\nContent-Length: 0';
  slow.send(`POST /async-function/echo HTTP/1.1\r\n${head}\r\n\r\n`);
  await eventually(() => resultBudget.usedBytes === 8_000_000);
  slow.socket.resetAndDestroy();
  await eventually(() => resultBudget.usedBytes === 0);
  const { status, text, headers } = await call();
  expect([status, text.length, headers['content-length']]).toEqual([200, 8_000_000, '8000000']);
  await eventually(() => resultBudget.usedBytes === 0);
});

test('a repeated call waits for the first one', async () => {
  const earlier = { callId: 'call-0', startTime: activeCall('call-0', 'queued').call.startTime };
  gateway.queue.answer = () => ({ kind: 'replayed', earlier }) as never;
  gateway.calls.states.set('call-0', endedCall('call-0'));
  expect(await call({ 'Idempotency-Key': 'a' })).toMatchObject({
    status: 200,
    text: 'the result',
    headers: { 'x-call-id': 'call-0', 'idempotency-replayed': 'true', 'preference-applied': 'wait' },
  });
});

test('a callback that makes a call never waits', async () => {
  const parent = { 'X-Function-Status': '200', 'X-Start-Time': '1769860800000000000' };
  const answer = await call({ ...parent, Prefer: 'wait=60' });
  expect(answer.status).toBe(202);
  expect(gateway.watches.scopes).toEqual([]);
});

test('a gateway that stops answers those who wait', async () => {
  const pending = call();
  await eventually(() => gateway.watches.count === 1);
  gateway.stopping.abort();
  expect(await pending).toMatchObject({ status: 202, headers: { 'preference-applied': 'wait' } });
});

test('a client that leaves frees its place, and many of one connection may wait', async () => {
  await restart({ waiters: new Waiters({ inAll: 100, perToken: 100 }) });
  await using client = await RawClient.connect(gateway.port);
  const post = 'POST /async-function/echo HTTP/1.1\r\nHost: localhost\r\nPrefer: wait=60\r\nContent-Length: 0\r\n\r\n';
  gateway.calls.find = async ({ callId }) => activeCall(callId, 'running');
  client.send(post.repeat(20));
  await eventually(() => gateway.watches.count === 20);
  client.socket.resetAndDestroy();
  await eventually(() => gateway.watches.count === 0);
});
