import { request } from 'undici';
import { afterEach, describe, expect, test } from 'vitest';
import { type GatewayOverrides, startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { testToken, tokensOf } from './test-tokens.ts';

const admin = testToken('admin', { scopes: ['admin'] });
const shop = testToken('shop', { scopes: ['invoke'] });
const reader = testToken('reader', { scopes: ['read'], functions: ['echo'] });
const withTokens = { tokens: () => tokensOf([admin, shop, reader]) };

let gateway: TestGateway;

afterEach(() => gateway[Symbol.asyncDispose]());

async function start(overrides: GatewayOverrides = {}): Promise<void> {
  gateway = await startTestGateway(overrides);
}

interface Asked {
  readonly body?: unknown;
  readonly as?: { readonly bearer: string };
}

async function ask(method: 'GET' | 'PUT' | 'DELETE' | 'POST', path: string, { body, as }: Asked = {}) {
  const response = await request(`${gateway.url}/system/flows${path}`, {
    method,
    headers: as === undefined ? {} : { authorization: as.bearer },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.body.text();
  return { status: response.statusCode, body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown> };
}

describe('a flow key', () => {
  test('is shown, whatever characters it has', async () => {
    await start();
    for (const key of ['order-7', 'a/b?c#d%2F;"+', '~'.repeat(128), '%'.repeat(128), 'pause']) {
      gateway.flows.add('echo', key);
      expect(await ask('GET', `/echo/${encodeURIComponent(key)}`)).toEqual({
        status: 200,
        body: {
          function: 'echo',
          key,
          queue: 'default',
          waiting: 2,
          running: 1,
          parallelism: 1,
          rate: '10/1m',
          limitsFrom: { parallelism: 'function', rate: null },
          paused: false,
          pinned: false,
        },
      });
    }
  });

  test('is paused, resumed, pinned and unpinned in all queues that have calls of it, first in that of its function', async () => {
    await start();
    const old = gateway.flows.add('echo', 'k', undefined, 'before');
    const place = { ...old, queue: 'default' };
    expect(await ask('POST', '/echo/k/pause')).toMatchObject({ status: 200, body: { key: 'k', queue: 'default' } });
    expect(await ask('POST', '/echo/k/resume')).toMatchObject({ status: 200 });
    expect(await ask('PUT', '/echo/k', { body: { parallelism: 7, rate: '60/60s' } })).toMatchObject({ status: 200 });
    expect(await ask('DELETE', '/echo/k')).toEqual({ status: 204, body: {} });
    const controls = [{ paused: true }, { paused: false }, { pin: { parallelism: 7, rate: '60/1m' } }, { pin: null }];
    expect(gateway.flows.changes).toEqual(
      controls.flatMap((control) => [place, old].map((each) => ({ place: each, control }))),
    );
    expect(gateway.logs.filter(({ flow }) => flow === place.id)).toHaveLength(4);
    expect(JSON.stringify(gateway.logs)).not.toContain('"k"');
  });

  test('without calls can be paused and pinned beforehand', async () => {
    await start();
    expect(await ask('PUT', '/hash.prod/new', { body: { parallelism: 2 } })).toMatchObject({ status: 200 });
    expect(gateway.flows.changes).toMatchObject([{ place: { function: 'hash.prod', queue: 'heavy', key: 'new' } }]);
  });

  test.each([
    ['GET', '/nothing/k', undefined, 404, 'unknown_function'],
    ['POST', '/nothing/k/pause', undefined, 404, 'unknown_function'],
    ['GET', '/ech%20o/k', undefined, 400, 'invalid_parameter'],
    ['GET', '/echo/a%20b', undefined, 400, 'invalid_parameter'],
    ['GET', '/echo/%C3%A4', undefined, 400, 'invalid_parameter'],
    ['GET', '/echo/k?submitter=a,b', undefined, 400, 'invalid_parameter'],
    ['GET', '/echo/k?other=1', undefined, 400, 'invalid_parameter'],
    ['GET', '?limit=0', undefined, 400, 'invalid_parameter'],
    ['GET', '?cursor=bm8', undefined, 400, 'invalid_parameter'],
    ['PUT', '/echo/k', {}, 400, 'invalid_parameter'],
    ['PUT', '/echo/k', { parallelism: 0 }, 400, 'invalid_parameter'],
    ['PUT', '/echo/k', { parallelism: 1001 }, 400, 'invalid_parameter'],
    ['PUT', '/echo/k', { rate: '10' }, 400, 'invalid_parameter'],
    ['PUT', '/echo/k', { rate: '10/8d' }, 400, 'invalid_parameter'],
    ['PUT', '/echo/k', { parallelism: 1, other: 1 }, 400, 'invalid_parameter'],
  ] as const)('%s %s with %j is refused: %i %s', async (method, path, body, status, code) => {
    await start();
    expect(await ask(method, path, { body })).toMatchObject({ status, body: { code } });
    expect(gateway.flows.changes).toEqual([]);
  });

  test('that the broker does not change yet is answered with what to do', async () => {
    await start();
    gateway.flows.problem = 'the broker is busy';
    expect(await ask('POST', '/echo/k/pause')).toMatchObject({ status: 503, body: { code: 'overloaded' } });
  });
});

describe('with tokens, a flow key', () => {
  test('is that of the only token which has it, or of the one that the request names', async () => {
    await start(withTokens);
    gateway.flows.add('echo', 'k', 'shop');
    expect(await ask('POST', '/echo/k/pause', { as: admin })).toMatchObject({
      status: 200,
      body: { submitter: 'shop' },
    });
    gateway.flows.add('echo', 'k');
    expect(await ask('POST', '/echo/k/pause', { as: admin })).toMatchObject({
      status: 400,
      body: { code: 'invalid_parameter', detail: expect.stringContaining('submitter') },
    });
    expect(await ask('GET', '/echo/k?submitter=', { as: admin })).not.toHaveProperty('body.submitter');
    expect(await ask('GET', '/echo/k?submitter=shop', { as: admin })).toMatchObject({ body: { submitter: 'shop' } });
    gateway.flows.add('echo', 'k', 'admin');
    expect(await ask('GET', '/echo/k', { as: admin })).toMatchObject({ body: { submitter: 'admin' } });
  });

  test('without calls has zeros, and is changed only if the request names its token', async () => {
    await start(withTokens);
    expect(await ask('GET', '/echo/new', { as: admin })).toMatchObject({ status: 200 });
    expect(await ask('PUT', '/echo/new', { as: admin, body: { parallelism: 2 } })).toMatchObject({ status: 400 });
    const path = '/echo/new?submitter=shop';
    expect(await ask('PUT', path, { as: admin, body: { parallelism: 2 } })).toMatchObject({ status: 200 });
    expect(gateway.flows.changes).toMatchObject([{ place: { submitter: 'shop' } }]);
  });

  test('is seen by a reader of its function, and by no other', async () => {
    await start(withTokens);
    gateway.flows.add('echo', 'k', 'shop');
    gateway.flows.add('hash.prod', 'k', 'shop');
    expect(await ask('GET', '/echo/k', { as: reader })).toMatchObject({ status: 200 });
    expect(await ask('GET', '/hash.prod/k', { as: reader })).toMatchObject({ status: 403 });
    expect((await ask('GET', '', { as: reader })).body['flows']).toMatchObject([{ function: 'echo' }]);
    expect((await ask('GET', '', { as: admin })).body['flows']).toHaveLength(2);
    expect(await ask('GET', '', { as: shop })).toMatchObject({ status: 403 });
  });
});

test('keys are listed page by page, of all functions or of one', async () => {
  await start();
  for (const key of ['a', 'b', 'c']) {
    gateway.flows.add('echo', key);
    gateway.flows.add('hash.prod', key);
  }
  const first = (await ask('GET', '?limit=4')).body;
  expect(first).toMatchObject({ flows: [{ key: 'a' }, { key: 'a' }, { key: 'b' }, { key: 'b' }] });
  const second = (await ask('GET', `?limit=4&cursor=${first['cursor']}`)).body;
  expect(second).toMatchObject({ flows: [{ key: 'c' }, { key: 'c' }] });
  expect(second).not.toHaveProperty('cursor');
  expect((await ask('GET', '?function=hash.prod')).body['flows']).toHaveLength(3);
});
