import { QueueError } from '@asyncfn/queue-core';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { activeCall, endedCall } from './call-fixture.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterEach(() => {
  gateway.calls.available = true;
  gateway.calls.error = undefined;
  gateway.calls.states.clear();
});

afterAll(() => gateway[Symbol.asyncDispose]());

async function ask(path: string, method: 'GET' | 'HEAD' = 'GET') {
  const { statusCode, headers, body } = await request(`${gateway.url}/async-function/${path}`, { method });
  return { status: statusCode, headers, text: await body.text() };
}

async function askJson(path: string) {
  const { status, text } = await ask(path);
  return { status, body: JSON.parse(text) as Record<string, unknown> };
}

const accepted = {
  callId: 'call-1',
  function: 'echo',
  queue: 'default',
  attempts: 0,
  maxRetries: 10,
  createdAt: '2026-01-31T12:00:00.000Z',
};

describe('the state of a call', () => {
  test('that waits says no more than is known', async () => {
    gateway.calls.states.set('call-1', activeCall('call-1', 'queued'));
    expect(await askJson('call-1')).toEqual({ status: 200, body: { ...accepted, status: 'queued' } });
  });

  test('that has a limit of its own names it', async () => {
    gateway.calls.states.set('call-1', activeCall('call-1', 'queued', { maxRetries: 2 }));
    expect((await askJson('call-1')).body).toMatchObject({ maxRetries: 2 });
  });

  test('that follows another one names that, before and after its end', async () => {
    gateway.calls.states.set('call-1', activeCall('call-1', 'queued', { parentId: 'call-0', chainDepth: 1 }));
    expect((await askJson('call-1')).body).toEqual({ ...accepted, status: 'queued', parentId: 'call-0' });
    gateway.calls.states.set('call-1', endedCall('call-1', { parentId: 'call-0' }));
    expect((await askJson('call-1')).body).toMatchObject({ status: 'succeeded', parentId: 'call-0' });
  });

  test('that is delayed says until when', async () => {
    const dueAt = Date.UTC(2026, 1, 1);
    gateway.calls.states.set('call-1', { ...activeCall('call-1', 'scheduled'), dueAt });
    const body = { ...accepted, status: 'scheduled', notBefore: '2026-02-01T00:00:00.000Z' };
    expect((await askJson('call-1')).body).toEqual(body);
  });

  test('that runs has what its worker reports', async () => {
    const startedAt = Date.UTC(2026, 0, 31, 12, 1);
    const held = { v: 1 as const, standing: 'running' as const, generation: 1, retry: 2, maxRetries: 4, startedAt };
    gateway.calls.states.set('call-1', { ...activeCall('call-1', 'running', { generation: 1, retry: 2 }), held });
    const running = {
      status: 'running',
      attempts: 3,
      maxRetries: 4,
      startedAt: '2026-01-31T12:01:00.000Z',
      replays: 1,
    };
    expect((await askJson('call-1')).body).toEqual({ ...accepted, ...running });
  });

  test('that has ended says how, and how its callback went, without the secrets in its URL', async () => {
    const callbackUrl = 'http://user:s3cr3t@receiver.test/done?token=s3cr3t';
    const ended = endedCall('call-1', { status: 'failed', reason: 'rejected', functionStatus: 404, callbackUrl });
    gateway.calls.states.set('call-1', { ...ended, callback: { v: 1, status: 'delivered', attempts: 3 } });
    const { body } = await askJson('call-1');
    expect(body).toEqual({
      ...accepted,
      status: 'failed',
      reason: 'rejected',
      attempts: 1,
      functionStatus: 404,
      startedAt: '2026-01-31T12:00:00.012Z',
      endedAt: '2026-01-31T12:00:01.012Z',
      durationMs: 1000,
      callback: { url: 'http://receiver.test/done', status: 'delivered', attempts: 3 },
    });
    expect(JSON.stringify(body)).not.toContain('s3cr3t');
  });

  test.each([
    ['https://user:s3cr3t@fn.test/hash/?token=s3cr3t', 'https://fn.test/hash/'],
    ['/hash/?token=s3cr3t', '/hash/'],
    ['//user:s3cr3t@fn.test/hash', '//fn.test/hash'],
  ])('whose function answered with a redirect says where it led: %s', async (location, redirectedTo) => {
    const headers: [string, string][] = [['Location', location]];
    gateway.calls.states.set('call-1', endedCall('call-1', { functionStatus: 308, headers }));
    expect((await askJson('call-1')).body).toMatchObject({ status: 'succeeded', functionStatus: 308, redirectedTo });
    gateway.calls.states.set('call-1', endedCall('call-1', { functionStatus: 201, headers }));
    expect((await askJson('call-1')).body).not.toHaveProperty('redirectedTo');
  });

  test('with a flow key names it, from its acceptance until it is forgotten', async () => {
    const flow = { key: 'orders/7', parallelism: 3 };
    gateway.calls.states.set('call-1', activeCall('call-1', 'queued', { flow }));
    expect((await askJson('call-1')).body).toMatchObject({ status: 'queued', flowKey: 'orders/7' });
    gateway.calls.states.set('call-1', endedCall('call-1', { flowKey: 'orders/7' }));
    expect((await askJson('call-1')).body).toMatchObject({ status: 'succeeded', flowKey: 'orders/7' });
  });

  test('names a callback that is still to be sent, but none of a call that was cancelled', async () => {
    const callbackUrl = 'http://receiver.test/done';
    const pending = { url: callbackUrl, status: 'pending', attempts: 0 };
    gateway.calls.states.set('call-1', activeCall('call-1', 'queued', { callbackUrl }));
    expect((await askJson('call-1')).body).toMatchObject({ callback: pending });
    gateway.calls.states.set('call-1', endedCall('call-1', { callbackUrl }));
    expect((await askJson('call-1')).body).toMatchObject({ callback: pending });
    gateway.calls.states.set('call-1', endedCall('call-1', { callbackUrl, status: 'cancelled' }));
    expect((await askJson('call-1')).body).not.toHaveProperty('callback');
  });
});

describe('the result of a call', () => {
  test('is the response of the function: its body, type and end-to-end headers, with its status in a header', async () => {
    const headers: [string, string][] = [
      ['Content-Type', 'image/png'],
      ['Content-Length', '4711'],
      ['Connection', 'X-Hop'],
      ['X-Hop', '1'],
      ['X-Own', 'a'],
      ['x-own', 'caf\u00e9'],
      ['X-Function-Status', '999'],
    ];
    gateway.calls.states.set('call-1', endedCall('call-1', { functionStatus: 201, headers }, '\0\r\n'));
    const answer = await ask('call-1/result');
    expect(answer.status).toBe(200);
    expect(answer.text).toBe('\0\r\n');
    expect(answer.headers).toMatchObject({
      'content-type': 'image/png',
      'content-length': '3',
      'x-own': ['a', 'caf\u00e9'],
      'x-function-status': '201',
      'x-call-id': 'call-1',
    });
    expect(answer.headers).not.toHaveProperty('x-hop');
    expect(await ask('call-1/result', 'HEAD')).toMatchObject({ status: 200, text: '' });
  });

  test('cannot act in the name of the gateway in a browser', async () => {
    const headers: [string, string][] = [
      ['content-security-policy', "script-src 'unsafe-inline'"],
      ['cache-control', 'public'],
      ['access-control-allow-origin', '*'],
    ];
    gateway.calls.states.set('call-1', endedCall('call-1', { headers }));
    const answer = await ask('call-1/result');
    expect(answer.headers).toMatchObject({
      'content-security-policy': 'sandbox',
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(answer.headers).not.toHaveProperty('access-control-allow-origin');
  });

  test.each(['call-1', 'call-1/result', 'call-2', 'call-2/result'])(
    'is not cached, and neither is the answer to %s',
    async (path) => {
      gateway.calls.states.set('call-1', activeCall('call-1', 'running'));
      expect((await ask(path)).headers).toMatchObject({ 'cache-control': 'private, no-store' });
    },
  );

  test('of a function that could not be reached is empty, like its callback', async () => {
    const failed = { status: 'failed', reason: 'retries_exhausted', functionStatus: 503 } as const;
    gateway.calls.states.set('call-1', endedCall('call-1', failed, ''));
    expect(await ask('call-1/result')).toMatchObject({
      status: 200,
      headers: { 'x-function-status': '503' },
      text: '',
    });
  });

  test.each(['scheduled', 'queued', 'running', 'retrying'] as const)(
    'of a call that is %s does not exist yet: 409',
    async (phase) => {
      gateway.calls.states.set('call-1', activeCall('call-1', phase));
      const { status, body } = await askJson('call-1/result');
      expect(status).toBe(409);
      expect(body).toMatchObject({ code: 'not_ended', status: 409, call: { callId: 'call-1', status: phase } });
    },
  );

  test.each([
    [{ bodyOmitted: 'too_large' }, 'too_large'],
    [{ status: 'failed', reason: 'response_too_large' }, 'too_large'],
    [{ status: 'failed', bodyOmitted: 'not_recorded' }, 'not_recorded'],
    [{ status: 'cancelled' }, 'cancelled'],
    [{ status: 'expired' }, 'expired'],
  ] as const)('of an end that says %j is gone: 410 %s', async (fields, reason) => {
    gateway.calls.states.set('call-1', endedCall('call-1', fields, ''));
    const { status, body } = await askJson('call-1/result');
    expect(status).toBe(410);
    expect(body).toMatchObject({ code: 'result_gone', reason });
  });

  test('is not available if results are not kept', async () => {
    await using other = await startTestGateway({ resultTtlMs: 0 });
    other.calls.states.set('call-1', endedCall('call-1'));
    const { statusCode, body } = await request(`${other.url}/async-function/call-1/result`);
    expect(statusCode).toBe(410);
    expect(await body.json()).toMatchObject({ code: 'result_gone', reason: 'not_kept' });
  });
});

describe.each(['', '/result'])('asked for with "%s", a call', (path) => {
  test.each(['unknown', 'echo.prod', '*', '%3E', '%zz', '~', 'x'.repeat(129)])('%s is not known', async (id) => {
    const { status, body } = await askJson(`${id}${path}`);
    expect([status, body['code']]).toEqual([404, 'call_not_found']);
  });

  test('cannot be found while the broker is away', async () => {
    gateway.calls.available = false;
    const { status, headers } = await ask(`call-1${path}`);
    expect([status, headers['retry-after']]).toEqual([503, '2']);
    gateway.calls.available = true;
    gateway.calls.error = new QueueError('broker', 's3cr3t');
    const answer = await ask(`call-1${path}`);
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '2' } });
    expect(answer.text).not.toContain('s3cr3t');
  });
});
