import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway[Symbol.asyncDispose]());

async function ask(method: 'GET' | 'PUT' | 'DELETE' | 'POST', path: string, body?: unknown) {
  const response = await request(`${gateway.url}/system/schedules${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.body.text();
  const read = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
  return { status: response.statusCode, headers: response.headers, body: read };
}

const settings = { function: 'echo', cron: '0 3 * * *', timeZone: 'Europe/Berlin', json: { full: true } };

describe('PUT of a schedule', () => {
  test('stores it, and answers with its settings, the defaults and the next five moments', async () => {
    const { status, body } = await ask('PUT', '/nightly', settings);
    expect(status).toBe(201);
    expect(body).toEqual({
      name: 'nightly',
      source: 'api',
      createdAt: expect.stringMatching(/^\d{4}-/),
      ...settings,
      overlap: 'allow',
      catchUp: 'latest',
      catchUpWindow: '1h',
      paused: false,
      next: expect.any(Array),
      last: [],
    });
    const next = body['next'] as string[];
    expect(next).toHaveLength(5);
    expect(next.every((at) => /T0[12]:00:00\.000Z$/.test(at))).toBe(true);
    const { last: _, ...listed } = body;
    expect((await ask('GET', '')).body).toEqual({ schedules: [listed] });
  });

  test('of an interval may have every setting, and is shown with all defaults', async () => {
    const every = { function: 'echo', every: '10m' };
    const { body } = await ask('PUT', '/poll', every);
    expect(body).toMatchObject({ ...every, timeZone: 'UTC', overlap: 'allow', catchUp: 'latest', catchUpWindow: '1h' });
    const all = { timeZone: 'Europe/Berlin', overlap: 'skip', catchUp: 'all', catchUpWindow: '2h', jitter: '30s' };
    expect(await ask('PUT', '/poll', { ...every, ...all })).toMatchObject({ status: 200, body: { ...every, ...all } });
  });

  test('accepts the answer of a GET, and changes nothing then', async () => {
    const { body } = await ask('PUT', '/nightly', { ...settings, headers: { 'X-Label': ['a', 'b'] }, paused: true });
    expect(body).toMatchObject({ paused: true, next: [] });
    expect(await ask('PUT', '/nightly', (await ask('GET', '/nightly')).body)).toMatchObject({ status: 200, body });
  });

  test('with wrong settings is refused with each of them', async () => {
    const { status, body } = await ask('PUT', '/nightly', {
      cron: 'x',
      overlap: 'no',
      'a b': 1,
      headers: { s3cret: 5 },
    });
    expect({ status, code: body['code'] }).toEqual({ status: 400, code: 'invalid_schedule' });
    expect(String(body['detail']).split('; ')).toHaveLength(5);
    expect(body['detail']).toContain('a setting is not a known setting');
    expect(JSON.stringify(body)).not.toContain('s3cret');
  });

  test.each<[object, number, string]>([
    [{ function: 'gone' }, 404, 'unknown_function'],
    [{ path: '/../..' }, 400, 'invalid_path'],
    [{ headers: { 'X-Callback-Url': 'ftp://x' } }, 400, 'invalid_callback_url'],
    [{ headers: { 'X-Callback-Url': 'http://127.0.0.1/x' } }, 400, 'callback_not_allowed'],
    [{ headers: { 'X-Label': 'a b' } }, 400, 'invalid_label'],
    [{ headers: { 'X-Then': 'gone' } }, 404, 'unknown_function'],
    [{ headers: { 'X-Timeout': '0' } }, 400, 'invalid_timeout'],
    [{ headers: { 'X-Call-Id': 'mine' } }, 400, 'invalid_schedule'],
    [{ headers: { 'Idempotency-Key': 'mine' } }, 400, 'invalid_schedule'],
    [{ headers: { 'X-Delay': '5m' } }, 400, 'invalid_schedule'],
    [
      { headers: { 'X-Function-Status': '200', 'X-Call-Id': 'other', 'X-Start-Time': '1700000000000000000' } },
      400,
      'invalid_schedule',
    ],
  ])('whose calls would be refused is refused: %j', async (change, status, code) => {
    expect(await ask('PUT', '/nightly', { ...settings, ...change })).toMatchObject({ status, body: { code } });
  });

  test('has a name that is one token of a subject (P7)', async () => {
    for (const name of ['a.b', '*', 'a%20b', 'x'.repeat(64)]) {
      expect(await ask('PUT', `/${name}`, settings)).toMatchObject({
        status: 400,
        body: { code: 'invalid_parameter' },
      });
    }
  });

  test('that is too large is refused', async () => {
    expect(await ask('PUT', '/nightly', { ...settings, body: 'x'.repeat(200_000) })).toMatchObject({ status: 413 });
    const { json: _, ...own } = settings;
    const { body } = await ask('PUT', '/nightly', { ...own, body: 'x'.repeat(100_000) });
    expect(body['detail']).toBe('the schedule must not exceed 65536 bytes as JSON, body included.');
  });
});

test('a schedule is paused and resumed, and stays paused when it is changed', async () => {
  await ask('PUT', '/nightly', settings);
  expect(await ask('POST', '/nightly/pause')).toMatchObject({ status: 200, body: { paused: true, next: [] } });
  expect((await ask('PUT', '/nightly', { ...settings, path: '/a' })).body).toMatchObject({ paused: true, path: '/a' });
  expect((await ask('POST', '/nightly/resume')).body).toMatchObject({ paused: false });
  expect((await ask('PUT', '/nightly', { ...settings, paused: true })).body).toMatchObject({ paused: true });
});

test('a schedule that does not exist is 404, and a removed one does not exist', async () => {
  await ask('PUT', '/nightly', settings);
  expect((await ask('DELETE', '/nightly')).status).toBe(204);
  for (const [method, path] of [
    ['GET', '/nightly'],
    ['DELETE', '/nightly'],
    ['POST', '/nightly/pause'],
    ['POST', '/nightly/resume'],
    ['POST', '/nightly/trigger'],
  ] as const) {
    expect(await ask(method, path)).toMatchObject({ status: 404, body: { code: 'unknown_schedule' } });
  }
  expect((await ask('GET', '')).body).toEqual({ schedules: [] });
  expect((await ask('PUT', '/nightly', settings)).status).toBe(201);
});

test('a trigger makes one call now, with what the schedule says, and remembers it', async () => {
  const headers = { 'X-Label': 'night', 'X-Max-Retries': '2', 'X-Expires-In': '1h', 'X-Own': 'kept' };
  await ask('PUT', '/nightly', { ...settings, path: '/a?b=1', headers, paused: true });
  const { status, headers: answered, body } = await ask('POST', '/nightly/trigger');
  const { callId } = body as { callId: string };
  expect({ status, location: answered['location'] }).toEqual({ status: 202, location: `/async-function/${callId}` });
  expect(body).toEqual({ callId, function: 'echo', status: 'queued' });
  expect(gateway.queue.accepted).toHaveLength(1);
  expect(gateway.queue.accepted[0]?.call).toMatchObject({
    id: callId,
    function: 'echo',
    path: '/a',
    query: 'b=1',
    headers: [
      ['X-Own', 'kept'],
      ['Content-Type', 'application/json'],
    ],
    labels: ['night'],
    maxRetries: 2,
    schedule: { name: 'nightly', at: expect.any(Number) },
    body: Buffer.from('{"full":true}'),
  });
  expect((await ask('GET', '/nightly')).body['last']).toEqual([{ at: expect.any(String), callId }]);
});

test('no caller can pass for a schedule', async () => {
  const headers = { 'X-Schedule-Name': 'nightly', 'X-Scheduled-At': '2026-01-01T00:00:00Z', 'X-Own': 'kept' };
  await request(`${gateway.url}/async-function/echo`, { method: 'POST', headers });
  const names = gateway.queue.accepted[0]?.call.headers.map(([name]) => name.toLowerCase());
  expect(names).toContain('x-own');
  expect(names?.filter((name) => name.startsWith('x-schedule'))).toEqual([]);
});
