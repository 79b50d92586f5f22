import { createHash, randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { exchange, post, RawClient } from './raw-client.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway[Symbol.asyncDispose]());

function enqueue(path: string, options: { headers?: Record<string, string>; body?: string | Buffer } = {}) {
  return request(`${gateway.url}${path}`, { method: 'POST', ...options });
}

test('an accepted call is answered 202 with its id, its start time and its place', async () => {
  const { statusCode, headers, body } = await enqueue('/async-function/echo', { body: 'hello' });
  const { call, unique } = gateway.queue.accepted.at(-1)!;
  expect(statusCode).toBe(202);
  expect(await body.json()).toEqual({ callId: call.id, function: 'echo', status: 'queued' });
  expect(headers).toMatchObject({
    'x-call-id': call.id,
    'x-start-time': call.startTime,
    location: `/async-function/${call.id}`,
    'content-type': expect.stringMatching(/^application\/json/),
  });
  expect(call).toMatchObject({ function: 'echo', queue: 'default', path: '', query: '', retry: 0 });
  expect(call.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}$/);
  expect(unique).toBe(false);
  expect(call).not.toHaveProperty('callbackUrl');
});

test('a function in a namespace is called in its own queue', async () => {
  const { statusCode, body } = await enqueue('/async-function/hash.prod');
  expect(statusCode).toBe(202);
  expect(await body.json()).toMatchObject({ function: 'hash.prod' });
  expect(gateway.queue.last).toMatchObject({ function: 'hash.prod', queue: 'heavy' });
});

test('a call id that the client chose is kept and must be unique', async () => {
  const { headers } = await enqueue('/async-function/echo', { headers: { 'X-Call-Id': 'My_own-1' } });
  expect(headers['x-call-id']).toBe('My_own-1');
  expect(gateway.queue.accepted.at(-1)).toMatchObject({ call: { id: 'My_own-1' }, unique: true });
});

test('a callback URL is kept with the call', async () => {
  const url = 'https://receiver.test/done?for=1';
  await enqueue('/async-function/echo', { headers: { 'X-Callback-Url': url } });
  expect(gateway.queue.last.callbackUrl).toBe(url);
});

test('headers for receivers and the failure URL are stored with the call, and do not reach its function', async () => {
  const failureCallbackUrl = 'https://receiver.test/failed';
  await enqueue('/async-function/echo', {
    headers: { 'X-Failure-Callback-Url': failureCallbackUrl, 'X-Callback-Forward-X-Tenant': 'seven' },
  });
  const { headers, ...call } = gateway.queue.last;
  expect(call).toMatchObject({ failureCallbackUrl, callbackHeaders: [['X-Tenant', 'seven']] });
  expect(JSON.stringify(headers)).not.toMatch(/seven|receiver/);
});

test("the client's own limits are kept with the call", async () => {
  await enqueue('/async-function/echo', { headers: { 'X-Max-Retries': '0', 'X-Timeout': '1m30s' } });
  expect(gateway.queue.last).toMatchObject({ maxRetries: 0, timeoutMs: 90_000 });
  expect(gateway.queue.last.headers).toContainEqual(['X-Timeout', '1m30s']);
  await enqueue('/async-function/echo');
  expect(gateway.queue.last).not.toHaveProperty('maxRetries');
  expect(gateway.queue.last).not.toHaveProperty('timeoutMs');
});

test('optional headers that are empty count as absent', async () => {
  const names = ['X-Callback-Url', 'X-Call-Id', 'Idempotency-Key', 'X-Delay', 'X-Not-Before', 'X-Expires-In'];
  names.push('X-Timeout', 'X-Max-Retries', 'X-Function-Authorization', 'traceparent', 'tracestate', 'Expect');
  const headers = names.map((name) => `${name}: \t \r\n`).join('');
  expect(await exchange(gateway.port, post('/async-function/echo', headers))).toMatch(/^HTTP\/1.1 202 /);
  const { call, ...how } = gateway.queue.accepted.at(-1)!;
  expect(how).toEqual({ unique: false, key: undefined, derived: false });
  expect(call).toEqual({
    id: expect.any(String),
    function: 'echo',
    queue: 'default',
    path: '',
    query: '',
    headers: [
      ['X-Forwarded-For', '127.0.0.1'],
      ['X-Forwarded-Host', 'localhost'],
      ['X-Forwarded-Proto', 'http'],
    ],
    startTime: expect.any(String),
    retry: 0,
    body: Buffer.alloc(0),
  });
});

describe('a call with an Idempotency-Key', () => {
  const headers = { 'Idempotency-Key': 'order-17/paid' };

  test('is stored with it, and the function gets it as well', async () => {
    const answer = await enqueue('/async-function/echo', { headers });
    expect(answer.statusCode).toBe(202);
    expect(answer.headers).not.toHaveProperty('idempotency-replayed');
    expect(gateway.queue.accepted.at(-1)).toMatchObject({ key: 'order-17/paid', unique: false });
    expect(gateway.queue.last.headers).toContainEqual(['Idempotency-Key', 'order-17/paid']);
  });

  test.each([
    [undefined, 'queued'],
    [Date.now() - 1, 'queued'],
    [Date.now() + 60_000, 'scheduled'],
  ])('that came before (not before %s) is answered as the first one was', async (notBefore, state) => {
    await using other = await startTestGateway();
    const earlier = { callId: 'the-first', startTime: '1700000000000000001', ...(notBefore && { notBefore }) };
    other.queue.answer = () => ({ kind: 'replayed', earlier });
    const answer = await request(`${other.url}/async-function/echo`, { method: 'POST', headers });
    expect(answer.statusCode).toBe(202);
    expect(answer.headers).toMatchObject({
      'x-call-id': 'the-first',
      'x-start-time': '1700000000000000001',
      location: '/async-function/the-first',
      'idempotency-replayed': 'true',
    });
    expect(await answer.body.json()).toEqual({ callId: 'the-first', function: 'echo', status: state });
    const metrics = await other.registry.metrics();
    expect(metrics).toMatch(/^gateway_calls_replayed_total 1$/m);
    expect(metrics).not.toMatch(/^queue_worker_messages_submitted_total\{/m);
  });

  test('that came with another call before is refused', async () => {
    await using other = await startTestGateway();
    other.queue.answer = () => ({ kind: 'key_reused' });
    const { statusCode, body } = await request(`${other.url}/async-function/echo`, { method: 'POST', headers });
    expect([statusCode, await body.json()]).toEqual([422, expect.objectContaining({ code: 'idempotency_key_reused' })]);
  });

  test('shows up in no log (P9)', () => {
    expect(JSON.stringify(gateway.logs)).not.toContain('order-17');
  });
});

describe('a call that must wait', () => {
  test.each([
    ['X-Delay', '90s', 90_000],
    ['X-Not-Before', new Date(Date.now() + 3_600_000).toISOString(), undefined],
  ])('%s makes it scheduled, and does not travel', async (name, value, delayMs) => {
    const { statusCode, body } = await enqueue('/async-function/echo', { headers: { [name]: value } });
    const { last } = gateway.queue;
    expect([statusCode, await body.json()]).toEqual([202, { callId: last.id, function: 'echo', status: 'scheduled' }]);
    const acceptedAt = Number(last.startTime.slice(0, -6));
    expect(last.notBefore).toBe(delayMs === undefined ? Date.parse(value) : acceptedAt + delayMs);
    expect(last.headers.map((header) => header[0])).not.toContain(name);
  });

  test.each([
    ['X-Delay', '0s'],
    ['X-Not-Before', '2001-09-09T01:46:40Z'],
  ])('%s that is over already makes it queued', async (name, value) => {
    const { body } = await enqueue('/async-function/echo', { headers: { [name]: value } });
    expect(await body.json()).toMatchObject({ status: 'queued' });
    expect(gateway.queue.last).not.toHaveProperty('notBefore');
  });

  test.each([
    ['X-Delay', '-5s', 'invalid_delay'],
    ['X-Not-Before', 'tomorrow', 'invalid_not_before'],
  ])('%s: %s is refused', async (name, value, code) => {
    const before = gateway.queue.accepted.length;
    const { statusCode, body } = await enqueue('/async-function/echo', { headers: { [name]: value } });
    expect([statusCode, await body.json()]).toEqual([400, expect.objectContaining({ code })]);
    expect(gateway.queue.accepted).toHaveLength(before);
  });
});

test('X-Expires-In counts from the acceptance of a call, is kept with it and does not travel', async () => {
  const headers = { 'X-Expires-In': '10m' };
  const { body } = await enqueue('/async-function/echo', { headers });
  expect(await body.json()).toMatchObject({ status: 'queued' });
  const { expiresAt, startTime, headers: travelling } = gateway.queue.last;
  expect(expiresAt).toBe(Number(startTime.slice(0, -6)) + 600_000);
  expect(travelling.map(([name]) => name)).not.toContain('X-Expires-In');
  const refused = await enqueue('/async-function/echo', { headers: { 'X-Expires-In': '0s' } });
  expect([refused.statusCode, await refused.body.json()]).toEqual([
    400,
    expect.objectContaining({ code: 'invalid_expires_in' }),
  ]);
});

test.each([
  ['/async-function/echo/', '/', ''],
  ['/async-function/echo/a//b;c/%2F%zz?x=y?z&%00', '/a//b;c/%2F%zz', 'x=y?z&%00'],
  ['/async-function/echo?', '', ''],
  ['http://gateway.test/async-function/echo/a?b', '/a', 'b'],
])('the request target %s keeps its bytes', async (target, path, query) => {
  expect(await exchange(gateway.port, post(target))).toMatch(/^HTTP\/1.1 202 /);
  expect(gateway.queue.last).toMatchObject({ path, query });
});

test('headers travel with their order, case, duplicates and bytes', async () => {
  const headers = 'b: 2\r\nA: \xe9\xff\r\nCookie: x\r\nB: 3\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n';
  await exchange(gateway.port, post('/async-function/echo', headers));
  expect(gateway.queue.last.headers).toEqual([
    ['b', '2'],
    ['A', '\xe9\xff'],
    ['Cookie', 'x'],
    ['B', '3'],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Host', 'localhost'],
    ['X-Forwarded-Proto', 'http'],
  ]);
});

test('3,000 small headers all travel', async () => {
  const headers = Array.from({ length: 3000 }, () => 'a:\r\n').join('');
  await exchange(gateway.port, post('/async-function/echo', headers));
  expect(gateway.queue.last.headers.filter(([name]) => name === 'a')).toHaveLength(3000);
});

describe('a body', () => {
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));

  test.each([
    ['application/json', '{"not json'],
    ['text/plain; charset=utf-16', all],
    ['multipart/form-data; boundary=x', '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'],
    ['application/x-www-form-urlencoded', 'a=b&c=%zz'],
    ['application/octet-stream', all],
    ['no type at all', all],
    [';;;=', all],
    ['text/\xff', all],
  ])('of type %j goes through byte for byte', async (type, body) => {
    const { statusCode } = await enqueue('/async-function/echo', { headers: { 'content-type': type }, body });
    expect(statusCode).toBe(202);
    expect(Buffer.from(gateway.queue.last.body)).toEqual(Buffer.from(body));
    expect(gateway.queue.last.headers).toContainEqual(['content-type', type]);
  });

  test('without a type travels without one', async () => {
    await exchange(
      gateway.port,
      'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 3\r\n\r\n\x00\xff\x80',
    );
    expect(Buffer.from(gateway.queue.last.body)).toEqual(Buffer.from([0, 0xff, 0x80]));
    expect(gateway.queue.last.headers.map(([name]) => name.toLowerCase())).not.toContain('content-type');
  });

  test.each(['', 'Content-Type: application/json\r\n'])('may be missing (%j)', async (headers) => {
    expect(await exchange(gateway.port, post('/async-function/echo', headers))).toMatch(/^HTTP\/1.1 202 /);
    expect(gateway.queue.last.body).toHaveLength(0);
  });

  test('in many chunks from a slow client arrives whole', async () => {
    await using client = await RawClient.connect(gateway.port);
    client.send('POST /async-function/echo HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n');
    const bytes = randomBytes(300);
    for (const byte of bytes) {
      client.send('1\r\n');
      client.socket.write(Buffer.from([byte]));
      client.send('\r\n');
      await setImmediate();
    }
    client.send('0\r\n\r\n');
    expect(await client.answer()).toMatch(/^HTTP\/1.1 202 /);
    expect(Buffer.from(gateway.queue.last.body)).toEqual(bytes);
  });

  test('of exactly the largest size is accepted', async () => {
    const body = randomBytes(1024 * 1024);
    expect((await enqueue('/async-function/echo', { body })).statusCode).toBe(202);
    const digest = createHash('sha256').update(gateway.queue.last.body).digest();
    expect(digest).toEqual(createHash('sha256').update(body).digest());
  });

  test('of several requests on one connection is told apart', async () => {
    await using client = await RawClient.connect(gateway.port);
    const one = 'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 3\r\n\r\n';
    client.send(`${one}one${one}two`);
    await client.answer(/202.*202.*\}$/s);
    const bodies = gateway.queue.accepted.slice(-2).map(({ call }) => Buffer.from(call.body).toString());
    expect(bodies).toEqual(['one', 'two']);
  });
});

describe('a client that expects 100-continue', () => {
  const head = 'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\n';

  test('is told to continue', async () => {
    await using client = await RawClient.connect(gateway.port);
    client.send(`${head}Content-Length: 5\r\n\r\n`);
    expect(await client.answer(/\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('hello');
    await client.answer(/202 Accepted/);
    expect(Buffer.from(gateway.queue.last.body).toString()).toBe('hello');
    expect(gateway.queue.last.headers.map(([name]) => name)).not.toContain('Expect');
  });

  test('is refused without a 100 if its body is too large', async () => {
    await using client = await RawClient.connect(gateway.port);
    client.send(`${head}Content-Length: 1048577\r\n\r\n`);
    expect(await client.closed()).toMatch(/^HTTP\/1.1 413 /);
  });
});

test('a client that goes away in the middle of its body enqueues nothing and causes no error in the log', async () => {
  const before = gateway.queue.accepted.length;
  const noise = gateway.logs.length;
  await using client = await RawClient.connect(gateway.port);
  client.send('POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 100\r\n\r\nhalf');
  const connections = () => new Promise<number>((resolve) => gateway.app.server.getConnections((_, n) => resolve(n)));
  await eventually(async () => (await connections()) > 0);
  client.socket.destroy();
  await eventually(() => gateway.logs.slice(noise).some(({ code }) => code === 'client_disconnected'));
  expect(gateway.queue.accepted).toHaveLength(before);
  expect(gateway.logs.slice(noise).filter(({ level }) => level !== 'debug')).toEqual([]);
});

test('no 202 is sent before the queue has stored the call', async () => {
  await using slow = await startTestGateway();
  let store = (): void => undefined;
  const stored = new Promise<void>((resolve) => {
    store = resolve;
  });
  let asked = false;
  slow.queue.answer = async () => {
    asked = true;
    await stored;
    return { kind: 'stored', sequence: 1, duplicate: false };
  };
  await using client = await RawClient.connect(slow.port);
  client.send(post('/async-function/echo'));
  await eventually(() => asked);
  await setImmediate();
  expect(client.received).toBe('');
  store();
  expect(await client.answer()).toMatch(/^HTTP\/1.1 202 /);
});
