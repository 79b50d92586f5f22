import { QueueError } from '@asyncfn/queue-core';
import type { BrokerTrouble, ReplayRefusal, StoredDeadLetter } from '@asyncfn/queue-core/jetstream';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { exchange, post, RawClient } from './raw-client.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway[Symbol.asyncDispose]());

const root = '/system/dead-letters';

async function ask(method: 'GET' | 'POST' | 'DELETE' | 'PUT', path: string, body?: unknown) {
  const answer = await request(`${gateway.url}${root}${path}`, {
    method,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) };
}

const unanswered = {
  v: 1,
  kind: 'call',
  callId: 'call-1',
  startTime: '1700000000000000000',
  generation: 2,
  function: 'echo',
  queue: 'default',
  reason: 'rejected',
  attempts: 1,
  createdAt: 1_700_000_000_000,
  endedAt: 1_700_000_001_234,
} as const;

const letter = { ...unanswered, lastStatus: 400 };

const shownUnanswered = {
  callId: 'call-1',
  kind: 'call',
  function: 'echo',
  queue: 'default',
  reason: 'rejected',
  attempts: 1,
  createdAt: '2023-11-14T22:13:20.000Z',
  endedAt: '2023-11-14T22:13:21.234Z',
};

const shown = { ...shownUnanswered, lastStatus: 400 };

const call = {
  v: 1,
  id: 'call-1',
  function: 'echo',
  queue: 'default',
  path: '/a/b',
  query: 'token=s3cr3t',
  headers: [['X-Token', 's3cr3t']],
  callbackUrl: 'https://user:s3cr3t@receiver.test/done?token=s3cr3t',
  startTime: '1700000000000000000',
  retry: 0,
};

function stored(changes: Partial<StoredDeadLetter> = {}): StoredDeadLetter {
  const body = Buffer.from('s3cr3t');
  return { letter, sequence: 5, storedAtMs: 0, original: JSON.stringify(call), body, ...changes };
}

const callback = stored({
  letter: { ...letter, kind: 'callback', reason: 'callback_undeliverable', lastStatus: 502, generation: 0 },
  original: JSON.stringify({
    v: 1,
    callId: 'call-1',
    generation: 0,
    function: 'echo',
    queue: 'default',
    url: 'http://user:s3cr3t@receiver.test/done?s3cr3t',
    functionStatus: 200,
    durationMs: 1,
    startTime: '1',
    retry: 0,
    maxRetries: 0,
    headers: [['X-Token', 's3cr3t']],
    tries: 8,
  }),
});

describe('a list', () => {
  test('shows entries and the cursor of the next page', async () => {
    const entries = [
      { ...letter, sequence: 5, bytes: 48 },
      { ...unanswered, sequence: 6, bytes: 0 },
    ];
    gateway.deadLetters.page = { entries, next: 7 };
    const deadLetters = [
      { ...shown, bytes: 48 },
      { ...shownUnanswered, bytes: 0 },
    ];
    expect((await ask('GET', '')).body).toEqual({ deadLetters, cursor: '7' });
    expect(gateway.deadLetters.asked).toEqual([['list', {}, { limit: 100, from: undefined }]]);
  });

  test('passes its filter on', async () => {
    const { body } = await ask('GET', '?function=echo.prod&queue=q&reason=expired&kind=call&limit=7&cursor=42');
    expect(body).toEqual({ deadLetters: [] });
    const query = { function: 'echo.prod', queue: 'q', reason: 'expired', kind: 'call' };
    expect(gateway.deadLetters.asked).toEqual([['list', query, { limit: 7, from: 42 }]]);
  });
});

describe('one', () => {
  test('is shown without secrets', async () => {
    gateway.deadLetters.found = [stored(), callback];
    const { status, body } = await ask('GET', '/call-1');
    expect(status).toBe(200);
    expect(body).toEqual({
      ...shown,
      bytes: 6,
      kinds: ['call', 'callback'],
      replays: 2,
      path: '/a/b',
      callbackUrl: 'https://receiver.test/done',
    });
  });

  test('of a callback is shown on request, or if it is the only one', async () => {
    const url = { callbackUrl: 'http://receiver.test/done', functionStatus: 200 };
    const what = { kind: 'callback', reason: 'callback_undeliverable', lastStatus: 502, replays: 0, bytes: 6, ...url };
    gateway.deadLetters.found = [stored(), callback];
    const chosen = await ask('GET', '/call-1?kind=callback');
    expect(chosen.body).toEqual({ ...shown, ...what, kinds: ['call', 'callback'] });
    gateway.deadLetters.found = [callback];
    expect((await ask('GET', '/call-1')).body).toEqual({ ...shown, ...what, kinds: ['callback'] });
    expect((await ask('GET', '/call-1?kind=call')).body).toMatchObject({ code: 'dead_letter_not_found' });
  });

  test('that cannot be read is shown with what is known of it', async () => {
    gateway.deadLetters.found = [stored({ original: '' })];
    const { body } = await ask('GET', '/call-1');
    expect(body).toEqual({ ...shown, bytes: 6, kinds: ['call'], replays: 2 });
  });

  test('that does not exist is 404, to be shown and to be dropped', async () => {
    for (const method of ['GET', 'DELETE'] as const) {
      const { status, body } = await ask(method, '/unknown');
      expect([status, body]).toMatchObject([404, { code: 'dead_letter_not_found' }]);
    }
  });

  test('is dropped', async () => {
    gateway.deadLetters.removed = true;
    const { status, body } = await ask('DELETE', '/call-1?kind=callback');
    expect([status, body]).toEqual([204, undefined]);
    expect(gateway.deadLetters.asked).toEqual([['remove', { callId: 'call-1' }, 'callback']]);
  });

  test('may have the longest possible call id', async () => {
    gateway.deadLetters.removed = true;
    expect((await ask('DELETE', `/${'x'.repeat(128)}`)).status).toBe(204);
  });
});

describe('a replay', () => {
  test('is answered like an enqueue', async () => {
    gateway.deadLetters.replayed = { kind: 'replayed', queue: 'default' };
    const { status, headers, body } = await ask('POST', '/call-1/replay');
    expect([status, body]).toEqual([202, { callId: 'call-1', status: 'queued' }]);
    expect(headers).toMatchObject({ 'x-call-id': 'call-1', location: '/async-function/call-1' });
    expect(gateway.deadLetters.asked).toEqual([['replay', { callId: 'call-1' }, 'default', undefined]]);
  });

  test('may name the callback', async () => {
    gateway.deadLetters.replayed = { kind: 'replayed', queue: undefined };
    expect((await ask('POST', '/call-1/replay?kind=callback')).status).toBe(202);
    expect(gateway.deadLetters.asked).toEqual([['replay', { callId: 'call-1' }, 'default', 'callback']]);
  });

  test('ignores a body that it does not need', async () => {
    gateway.deadLetters.replayed = { kind: 'replayed', queue: 'default' };
    expect((await ask('POST', '/call-1/replay', 'neither JSON nor needed')).status).toBe(202);
  });

  test.each([
    ['dead_letter_not_found', 404],
    ['unknown_function', 404],
    ['not_replayable', 409],
    ['already_replayed', 409],
    ['call_id_conflict', 409],
  ] satisfies [ReplayRefusal, number][])('that meets %s is %i', async (refusal, status) => {
    gateway.deadLetters.replayed = { kind: 'kept', refusal };
    const answer = await ask('POST', '/call-1/replay');
    expect([answer.status, answer.body]).toMatchObject([status, { code: refusal, status }]);
    expect(answer.headers['content-type']).toBe('application/problem+json');
  });

  test.each([
    ['unavailable', 'broker_unavailable'],
    ['timeout', 'broker_timeout'],
    ['overloaded', 'overloaded'],
    ['queue_full', 'queue_full'],
  ] satisfies [BrokerTrouble, string][])('that the broker refuses as %s is 503 %s', async (reason, code) => {
    const refused = { kind: 'refused', reason, detail: 'internals of the broker' } as const;
    gateway.deadLetters.replayed = refused;
    gateway.deadLetters.bulk = { ...refused, replayed: 1, skipped: 0, refusals: {} };
    for (const path of ['/call-1/replay', '/replay']) {
      const { status, headers, body } = await ask('POST', path);
      expect([status, body.code]).toEqual([503, code]);
      expect(headers['retry-after']).toMatch(/^[1-9]/);
      expect(JSON.stringify(body)).not.toContain('internals');
    }
  });
});

describe('a bulk replay', () => {
  test('reports what it did', async () => {
    const refusals = { unknown_function: 2, not_replayable: 1 };
    gateway.deadLetters.bulk = { kind: 'done', replayed: 7, skipped: 3, refusals, next: 43 };
    const { status, body } = await ask('POST', '/replay', { function: 'echo', reason: 'rejected', limit: 10 });
    expect([status, body]).toEqual([200, { replayed: 7, skipped: 3, reasons: refusals, cursor: '43' }]);
    const query = { function: 'echo', reason: 'rejected' };
    expect(gateway.deadLetters.asked).toEqual([['replayMany', query, { limit: 10, from: undefined }, 'default']]);
  });

  test('goes on where another ended', async () => {
    await ask('POST', '/replay', { queue: 'q', kind: 'callback', cursor: '43' });
    const query = { queue: 'q', kind: 'callback' };
    expect(gateway.deadLetters.asked).toEqual([['replayMany', query, { limit: 1000, from: 43 }, 'default']]);
  });

  test.each(['', '{}', ' {}\n'])('of everything takes %j', async (body) => {
    expect(await ask('POST', '/replay', body)).toMatchObject({ status: 200, body: { replayed: 0, skipped: 0 } });
    expect(gateway.deadLetters.asked).toEqual([['replayMany', {}, { limit: 1000, from: undefined }, 'default']]);
  });

  test.each(['application/json', 'application/x-www-form-urlencoded', 'text/plain; charset=utf-8', 'no type at all'])(
    'takes JSON under the name of %s',
    async (type) => {
      const { statusCode, body } = await request(`${gateway.url}${root}/replay`, {
        method: 'POST',
        headers: { 'content-type': type },
        body: '{"limit":3}',
      });
      await body.dump();
      expect(statusCode).toBe(200);
      expect(gateway.deadLetters.asked).toMatchObject([['replayMany', {}, { limit: 3 }, 'default']]);
    },
  );

  test('tells a client that expects 100-continue to continue', async () => {
    await using client = await RawClient.connect(gateway.port);
    client.send(`POST ${root}/replay HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`);
    await client.answer(/100 Continue\r\n\r\n/);
    client.send('{}');
    await client.answer(/200 OK/);
  });

  test('refuses a body that is too large', async () => {
    const { status, body } = await ask('POST', '/replay', ' '.repeat(20_000));
    expect([status, body.code]).toEqual([413, 'body_too_large']);
  });
});

describe('a parameter that is not valid is refused by its name', () => {
  test.each([
    ['GET', '?limit=0', 'limit'],
    ['GET', '?limit=1001', 'limit'],
    ['GET', '?limit=1.5', 'limit'],
    ['GET', '?limit=many', 'limit'],
    ['GET', '?limit=1&limit=2', 'limit'],
    ['GET', '?cursor=0', 'cursor'],
    ['GET', '?cursor=-1', 'cursor'],
    ['GET', '?cursor=s3cr3t', 'cursor'],
    ['GET', '?function=a.b.c', 'function'],
    ['GET', '?function=*', 'function'],
    ['GET', '?queue=%3E', 'queue'],
    ['GET', '?queue=', 'queue'],
    ['GET', '?reason=s3cr3t', 'reason must be one of retries_exhausted'],
    ['GET', '?kind=s3cr3t', 'kind must be one of call, callback'],
    ['GET', '?s3cr3t=1', 'unknown parameter'],
    ['GET', '/a.b', 'callId'],
    ['GET', '/a%20b', 'callId'],
    ['GET', '/call-1?kind=s3cr3t', 'kind'],
    ['DELETE', '/%3E', 'callId'],
    ['DELETE', '/call-1?kind=s3cr3t', 'kind'],
    ['POST', '/*/replay', 'callId'],
    ['POST', '/call-1/replay?s3cr3t', 'unknown parameter'],
  ] as const)('%s %s', async (method, path, named) => {
    const { status, body } = await ask(method, path);
    expect([status, body]).toMatchObject([400, { code: 'invalid_parameter', detail: expect.stringContaining(named) }]);
    expect(JSON.stringify(body)).not.toContain('s3cr3t');
    expect(gateway.deadLetters.asked).toEqual([]);
  });

  test.each([
    ['{"limit":0}', 'limit'],
    ['{"limit":10001}', 'limit'],
    ['{"function":"a.b.c"}', 'function'],
    ['{"reason":"s3cr3t"}', 'reason'],
    ['{"reason":null}', 'reason'],
    ['{"fuction":"echo"}', 'unknown parameter'],
    ['[]', 'The body'],
    ['null', 'The body'],
    ['"s3cr3t"', 'The body'],
    ['{"s3cr3t', 'The body is not valid JSON'],
    ['function=echo', 'The body is not valid JSON'],
  ])('%s', async (sent, named) => {
    const { status, body } = await ask('POST', '/replay', sent);
    expect([status, body]).toMatchObject([400, { code: 'invalid_parameter', detail: expect.stringContaining(named) }]);
    expect(JSON.stringify(body)).not.toContain('s3cr3t');
    expect(gateway.deadLetters.asked).toEqual([]);
  });
});

describe('methods', () => {
  test.each([
    ['', 'GET, HEAD'],
    ['/call-1', 'GET, HEAD, DELETE'],
    ['/call-1/replay', 'POST'],
    ['/replay', 'GET, HEAD, DELETE, POST'],
  ])('that %s does not have are 405, and those that it has are told', async (path, allowed) => {
    const { status, headers, body } = await ask('PUT', path);
    expect([status, body.code, headers['allow']]).toEqual([405, 'method_not_allowed', allowed]);
  });

  test('of a path that does not exist are 404', async () => {
    for (const path of ['/', '/call-1/', '/call-1/other', '/call-1/replay/more']) {
      expect((await ask('PUT', path)).body).toMatchObject({ code: 'not_found' });
    }
  });
});

describe('without the broker', () => {
  const requests = [
    ['GET', ''],
    ['GET', '/call-1'],
    ['DELETE', '/call-1'],
    ['POST', '/call-1/replay'],
    ['POST', '/replay'],
  ] as const;

  test.each(requests)('%s %s is 503 at once', async (method, path) => {
    gateway.deadLetters.available = false;
    const { status, headers, body } = await ask(method, path);
    expect([status, body.code]).toEqual([503, 'broker_unavailable']);
    expect(headers['retry-after']).toMatch(/^[1-9]/);
    expect(gateway.deadLetters.asked).toEqual([]);
  });

  test('an unanswered request is 503, and only the log has the cause', async () => {
    gateway.deadLetters.error = new QueueError('broker', 'internals of the broker');
    const { status, body } = await ask('GET', '');
    expect([status, body.code]).toEqual([503, 'broker_unavailable']);
    expect(JSON.stringify(body)).not.toContain('internals');
    expect(gateway.logs).toMatchObject([{ level: 'warn', err: { message: 'internals of the broker' } }]);
  });
});

test('the log records what operators do, without bodies, headers and secrets', async () => {
  const { deadLetters, logs } = gateway;
  deadLetters.found = [stored()];
  deadLetters.removed = true;
  deadLetters.replayed = { kind: 'replayed', queue: 'default' };
  deadLetters.bulk = { kind: 'done', replayed: 2, skipped: 1, refusals: { unknown_function: 1 }, next: undefined };
  await ask('GET', '/call-1');
  await ask('POST', '/call-1/replay');
  await ask('POST', '/replay', { limit: 3 });
  await ask('DELETE', '/call-1');
  expect(logs).toMatchObject([
    { level: 'info', msg: 'dead letter replayed', callId: 'call-1', queue: 'default' },
    { level: 'info', msg: 'dead letters replayed', replayed: 2, skipped: 1, reasons: { unknown_function: 1 } },
    { level: 'info', msg: 'dead letter dropped', callId: 'call-1' },
  ]);
  expect(JSON.stringify(logs)).not.toContain('s3cr3t');
});

test('requests are counted under the patterns of their routes', async () => {
  gateway.deadLetters.found = [stored()];
  await ask('GET', '');
  await ask('GET', '/call-1');
  await ask('PUT', '/call-1');
  await ask('POST', '/call-1/replay');
  await exchange(gateway.port, post(`${root}/a/b`));
  const metrics = await gateway.registry.metrics();
  const counted = metrics.split('\n').filter((line) => line.startsWith('http_requests_total{'));
  expect(counted.toSorted()).toEqual([
    'http_requests_total{method="GET",path="/system/dead-letters",status="200"} 1',
    'http_requests_total{method="GET",path="/system/dead-letters/:callId",status="200"} 1',
    'http_requests_total{method="POST",path="/system/dead-letters/:callId/replay",status="404"} 1',
    'http_requests_total{method="POST",path="other",status="404"} 1',
    'http_requests_total{method="PUT",path="/system/dead-letters/:callId",status="405"} 1',
  ]);
  // Refused calls count as refused enqueues.
  expect(metrics).not.toContain('gateway_calls_refused_total{');
});
