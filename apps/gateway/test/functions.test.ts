import { QueueError } from '@asyncfn/queue-core';
import { maxRegistered } from '@asyncfn/queue-core/functions';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway[Symbol.asyncDispose]());

interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly body: Record<string, unknown>;
}

async function ask(
  method: 'GET' | 'PUT' | 'DELETE' | 'POST',
  path: string,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const response = await request(`${gateway.url}/system/functions${path}`, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.body.text();
  const etag = response.headers['etag'];
  return { status: response.statusCode, etag: etag as string | undefined, body: text === '' ? {} : JSON.parse(text) };
}

const settings = { url: 'http://thumbnail:8080', concurrency: 5, retry: { attempts: 3 } };

describe('PUT of a function', () => {
  test('registers it, and answers 201 with the settings that apply from now on and its entity tag', async () => {
    const created = await ask('PUT', '/thumbnail', { body: settings });
    const view = { name: 'thumbnail', source: 'api', paused: false, queue: 'default', timeout: '5m', ...settings };
    expect(created).toEqual({ status: 201, etag: '"1"', body: view });
    expect(await ask('GET', '/thumbnail')).toEqual({ status: 200, etag: '"1"', body: view });
    expect((await ask('GET', '')).body).toEqual({ functions: [view] });
  });

  test('replaces all settings of one that exists, and answers 200 with another tag', async () => {
    await ask('PUT', '/thumbnail', { body: settings });
    const changed = await ask('PUT', '/thumbnail', { body: { url: 'http://other' } });
    expect(changed).toMatchObject({ status: 200, etag: '"2"' });
    expect(changed.body).not.toHaveProperty('concurrency');
  });

  test('accepts the answer of a GET', async () => {
    await ask('PUT', '/thumbnail', { body: settings });
    const { body } = await ask('GET', '/thumbnail');
    expect(await ask('PUT', '/thumbnail', { body })).toMatchObject({ status: 200, body });
  });

  test('of one more than its queue can have is refused, also for a function that would move there', async () => {
    const register = (name: string, queue: string) =>
      gateway.functions.change(name, () => ({
        kind: 'put',
        entry: { source: 'api', paused: false, settings: { url: 'http://x', queue } },
      }));
    for (let index = 0; index < maxRegistered; index++) {
      await register(`f${index}`, 'default');
    }
    await register('elsewhere', 'images');
    const refused = { status: 503, body: { code: 'too_many_functions', detail: expect.stringMatching(/10000 other/) } };
    expect(await ask('PUT', '/further', { body: { url: 'http://x' } })).toMatchObject(refused);
    expect(await ask('PUT', '/elsewhere', { body: { url: 'http://x' } })).toMatchObject(refused);
    expect(await ask('PUT', '/f7', { body: { url: 'http://y' } })).toMatchObject({ status: 200 });
    expect(await ask('PUT', '/further', { body: { url: 'http://x', queue: 'images' } })).toMatchObject({ status: 201 });
  });

  test('with several wrong settings is refused with each of them', async () => {
    const { status, body } = await ask('PUT', '/thumbnail', {
      body: { url: 'nonsense', concurrency: '5', retry: { attempts: -1 }, colour: 'red' },
    });
    expect([status, body['code']]).toEqual([400, 'invalid_function']);
    expect(body['detail']).toMatch(/url must be an absolute http or https URL/);
    expect(body['detail']).toMatch(/concurrency must be a whole number/);
    expect(body['detail']).toMatch(/retry\.attempts must be a whole number/);
    expect(body['detail']).toMatch(/colour is not a known setting/);
    expect(gateway.functions.list()).toEqual([]);
  });

  test.each(['http://$HOST:8080', 'http://{{host}}:8080', 'http://*:8080', 'http://http://gw:8080', 'http:gw:8080'])(
    'at %s, which cannot be meant, is refused and shows it',
    async (url) => {
      const { status, body } = await ask('PUT', '/thumbnail', { body: { url } });
      expect([status, body['code']]).toEqual([400, 'invalid_function']);
      expect(body['detail']).toContain(`url must be an absolute http or https URL`);
      expect(body['detail']).toContain(JSON.stringify(url));
    },
  );

  test('shows nothing of a password in a wrong URL', async () => {
    const { body } = await ask('PUT', '/thumbnail', { body: { url: 'http://user:hunter2@*:8080/?token=hunter2' } });
    expect(body['detail']).toContain('"http://…@*:8080/?…"');
    expect(JSON.stringify([body, gateway.logs])).not.toContain('hunter2');
  });

  test('never quotes a value that is not a plain word', async () => {
    const { body } = await ask('PUT', '/thumbnail', { body: { url: 'http://x', 'secret <b>': 1 } });
    expect(body['detail']).toBe('a setting is not a known setting.');
  });

  test.each([
    ['no object', 5],
    ['nothing', undefined],
    ['a list', []],
  ])('of %s is refused', async (_, body) => {
    expect(await ask('PUT', '/thumbnail', { body })).toMatchObject({ status: 400, body: { code: 'invalid_function' } });
  });

  test.each(['/a%20b', '/a.b.c'])('at %s is refused for its name', async (path) => {
    expect(await ask('PUT', path, { body: settings })).toMatchObject({
      status: 400,
      body: { code: 'invalid_parameter' },
    });
  });

  test('with If-Match changes only a function with this tag', async () => {
    const { etag = '' } = await ask('PUT', '/thumbnail', { body: settings });
    const put = (tag: string) => ask('PUT', '/thumbnail', { body: settings, headers: { 'If-Match': tag } });
    expect(await put(etag)).toMatchObject({ status: 200 });
    expect(await put(etag)).toMatchObject({ status: 412, body: { code: 'precondition_failed' } });
    expect(await ask('PUT', '/new', { body: settings, headers: { 'If-Match': '*' } })).toMatchObject({ status: 412 });
  });

  test('with If-None-Match: * changes no existing function', async () => {
    const put = () => ask('PUT', '/thumbnail', { body: settings, headers: { 'If-None-Match': '*' } });
    expect(await put()).toMatchObject({ status: 201 });
    expect(await put()).toMatchObject({ status: 412 });
  });

  test('with a precondition that cannot be read is refused', async () => {
    expect(await ask('PUT', '/thumbnail', { body: settings, headers: { 'If-Match': '42' } })).toMatchObject({
      status: 400,
      body: { code: 'invalid_parameter', detail: expect.stringContaining('If-Match') },
    });
  });

  test('while the broker is away, or others are always faster, is answered 503 with Retry-After', async () => {
    gateway.functions.trouble = new QueueError('broker', 'no answer');
    expect(await ask('PUT', '/thumbnail', { body: settings })).toMatchObject({
      status: 503,
      body: { code: 'broker_unavailable' },
    });
    gateway.functions.trouble = 'contended';
    expect(await ask('PUT', '/thumbnail', { body: settings })).toMatchObject({
      status: 503,
      body: { code: 'overloaded' },
    });
  });
});

describe('GET of a function', () => {
  test('that does not exist is 404', async () => {
    expect(await ask('GET', '/unknown')).toMatchObject({ status: 404, body: { code: 'unknown_function' } });
  });

  test('shows no credentials of its URL', async () => {
    await ask('PUT', '/thumbnail', { body: { url: 'http://user:hunter2@thumbnail:8080/base' } });
    expect((await ask('GET', '/thumbnail')).body['url']).toBe('http://thumbnail:8080/base');
    expect(JSON.stringify(gateway.logs)).not.toContain('hunter2');
  });

  test('can be changed and written back with its credentials, which only their own origin gets', async () => {
    const stored = () => gateway.functions.find('thumbnail')?.entry.settings.url;
    await ask('PUT', '/thumbnail', { body: { url: 'http://user:hunter2@thumbnail:8080/base' } });
    const { body } = await ask('GET', '/thumbnail');
    await ask('PUT', '/thumbnail', { body: { ...body, concurrency: 7 } });
    expect(stored()).toBe('http://user:hunter2@thumbnail:8080/base');
    const put = await ask('PUT', '/thumbnail', { body: { ...body, url: 'http://elsewhere:8080' } });
    expect([put.status, stored()]).toEqual([200, 'http://elsewhere:8080']);
    expect(gateway.logs).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        msg: expect.stringContaining('password of the former URL are dropped'),
      }),
    );
    await ask('PUT', '/thumbnail', { body: { url: 'http://user:hunter2@thumbnail:8080' } });
    await ask('PUT', '/thumbnail', { body: { url: 'http://@thumbnail:8080' } });
    expect(stored()).toBe('http://thumbnail:8080');
    expect(JSON.stringify(gateway.logs)).not.toContain('hunter2');
  });

  test('is 304 for a client that has it already', async () => {
    const { etag = '' } = await ask('PUT', '/thumbnail', { body: settings });
    expect(await ask('GET', '/thumbnail', { headers: { 'If-None-Match': etag } })).toMatchObject({ status: 304 });
    expect(await ask('GET', '/thumbnail', { headers: { 'If-None-Match': '"9"' } })).toMatchObject({ status: 200 });
  });
});

describe('DELETE of a function', () => {
  test('removes it', async () => {
    await ask('PUT', '/thumbnail', { body: settings });
    expect(await ask('DELETE', '/thumbnail')).toMatchObject({ status: 204 });
    expect(await ask('GET', '/thumbnail')).toMatchObject({ status: 404 });
    expect(await ask('DELETE', '/thumbnail')).toMatchObject({ status: 404, body: { code: 'unknown_function' } });
  });

  test('that a functions file names as well brings its settings back, whatever calls wait', async () => {
    const ofFile = { source: 'file', paused: true, settings: { url: 'http://file' } } as const;
    await gateway.functions.change('thumbnail', () => ({ kind: 'put', entry: ofFile }));
    expect(await ask('PUT', '/thumbnail', { body: settings })).toMatchObject({ status: 200, body: { source: 'api' } });
    expect((await ask('GET', '/thumbnail')).body).not.toHaveProperty('file');
    gateway.queues.calls.set('thumbnail', 17);
    expect(await ask('DELETE', '/thumbnail?purge=true')).toMatchObject({ status: 204 });
    expect((await ask('GET', '/thumbnail')).body).toMatchObject({ source: 'file', url: 'http://file', paused: true });
    expect(gateway.purges.asked).toEqual([]);
    expect(await ask('DELETE', '/thumbnail')).toMatchObject({ status: 409, body: { calls: 17 } });
  });

  test('whose calls have not ended is refused with their number', async () => {
    await ask('PUT', '/thumbnail', { body: settings });
    gateway.queues.calls.set('thumbnail', 17);
    expect(await ask('DELETE', '/thumbnail')).toMatchObject({
      status: 409,
      body: { code: 'calls_waiting', calls: 17, detail: expect.stringContaining('17') },
    });
    expect(gateway.functions.find('thumbnail')).toBeDefined();
  });

  test('with purge=true first cancels the waiting calls, and those that come meanwhile', async () => {
    await ask('PUT', '/thumbnail', { body: settings });
    gateway.queues.calls.set('thumbnail', 17);
    expect(await ask('DELETE', '/thumbnail?purge=true')).toMatchObject({ status: 204 });
    expect(gateway.purges.asked).toEqual([{ function: 'thumbnail' }, { function: 'thumbnail' }]);
    expect(gateway.functions.find('thumbnail')).toBeUndefined();
  });

  test('whose purge takes long is answered 202, and the function still exists', async () => {
    await ask('PUT', '/thumbnail', { body: settings });
    gateway.purges.progress = { purged: 1000, done: false };
    expect(await ask('DELETE', '/thumbnail?purge=true')).toMatchObject({
      status: 202,
      body: { purged: 1000, done: false },
    });
    expect(gateway.functions.find('thumbnail')).toBeDefined();
  });

  test('that is not in the expected state is not purged', async () => {
    await ask('PUT', '/thumbnail', { body: settings });
    expect(await ask('DELETE', '/thumbnail?purge=true', { headers: { 'If-Match': '"7"' } })).toMatchObject({
      status: 412,
    });
    expect(gateway.purges.asked).toEqual([]);
    expect(await ask('DELETE', '/thumbnail?purge=maybe')).toMatchObject({ status: 400 });
  });

  test('with If-Match removes only a function with this tag', async () => {
    await ask('PUT', '/thumbnail', { body: settings });
    expect(await ask('DELETE', '/thumbnail', { headers: { 'If-Match': '"7"' } })).toMatchObject({ status: 412 });
    expect(await ask('DELETE', '/thumbnail', { headers: { 'If-Match': '"1"' } })).toMatchObject({ status: 204 });
  });
});

describe('until the register has been read', () => {
  async function ask(method: 'GET' | 'POST' | 'DELETE', path: string) {
    const { statusCode, headers, body } = await request(`${gateway.url}${path}`, { method });
    const text = await body.text();
    return { status: statusCode, retryAfter: headers['retry-after'], code: text && (JSON.parse(text) as Problem).code };
  }

  interface Problem {
    readonly code?: string;
  }

  const away = { status: 503, retryAfter: '2', code: 'broker_unavailable' };

  test('no call is accepted, of a function that the file names or of another', async () => {
    gateway.functions.complete = false;
    expect(await ask('POST', '/async-function/later')).toEqual(away);
    expect(await ask('POST', '/async-function/echo')).toEqual(away);
    expect(gateway.queue.accepted).toEqual([]);
    gateway.functions.complete = true;
    expect(await ask('POST', '/async-function/later')).toMatchObject({ status: 404, code: 'unknown_function' });
    expect(await ask('POST', '/async-function/echo')).toMatchObject({ status: 202 });
  });

  test.each<['GET' | 'POST' | 'DELETE', string]>([
    ['GET', '/system/functions'],
    ['GET', '/system/functions/hash'],
    ['DELETE', '/system/functions/hash'],
    ['POST', '/system/functions/hash/pause'],
    ['POST', '/system/functions/unknown/purge'],
    ['GET', '/system/scaling/hash'],
    ['GET', '/system/scaling/unknown'],
    ['GET', '/async-function/some-call'],
    ['GET', '/async-function/some-call/result'],
    ['DELETE', '/async-function/some-call'],
  ])('nothing is said of functions and their calls: %s %s', async (method, path) => {
    gateway.functions.complete = false;
    expect(await ask(method, path)).toEqual(away);
  });
});

describe('a pause', () => {
  test('is noted in the register, told to the broker, and shown', async () => {
    await ask('PUT', '/thumbnail', { body: settings });
    expect(await ask('POST', '/thumbnail/pause')).toMatchObject({ status: 200, etag: '"2"', body: { paused: true } });
    expect((await ask('GET', '/thumbnail')).body).toMatchObject({ paused: true, concurrency: 5, source: 'api' });
    expect(await ask('POST', '/thumbnail/resume')).toMatchObject({ status: 200, body: { paused: false } });
    expect(gateway.functions.lanePauses).toEqual([
      ['thumbnail', true],
      ['thumbnail', false],
    ]);
  });

  test('outlives a change of the settings', async () => {
    await ask('PUT', '/thumbnail', { body: settings });
    await ask('POST', '/thumbnail/pause');
    expect(await ask('PUT', '/thumbnail', { body: { ...settings, paused: false } })).toMatchObject({
      status: 200,
      body: { paused: true },
    });
  });

  test('of a function that is not registered is 404', async () => {
    expect(await ask('POST', '/unknown/pause')).toMatchObject({ status: 404, body: { code: 'unknown_function' } });
    expect(gateway.functions.lanePauses).toEqual([]);
  });
});
