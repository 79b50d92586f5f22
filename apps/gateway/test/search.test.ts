import { once } from 'node:events';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { testToken, tokensOf } from './test-tokens.ts';

async function ask({ url }: TestGateway, query: string, authorization?: string) {
  const answer = await request(`${url}/system/calls${query}`, {
    headers: authorization === undefined ? {} : { authorization },
  });
  const body = (await answer.body.json()) as { detail?: string; code?: string; cursor?: string };
  return { status: answer.statusCode, body };
}

test('the filters of a request reach the search, and by default the newest 100 calls are listed', async () => {
  await using gateway = await startTestGateway();
  expect(await ask(gateway, '')).toEqual({ status: 200, body: { calls: [], complete: true } });
  const filters =
    'function=echo&queue=q-1&status=failed&status=expired&label=customer=7&flowKey=a%2Fb%252F%2B&parent=a&batch=b&limit=5' +
    '&from=2026-01-31T12:00:00%2B01:00&to=2026-01-31T12:00:00.5Z';
  expect((await ask(gateway, `?${filters}`)).status).toBe(200);
  expect(gateway.search.asked).toEqual([
    { filter: {}, options: { limit: 100, from: undefined } },
    {
      filter: {
        functions: ['echo'],
        queue: 'q-1',
        statuses: new Set(['failed', 'expired']),
        label: 'customer=7',
        flowKey: 'a/b%2F+',
        parentId: 'a',
        batchId: 'b',
        fromMs: Date.UTC(2026, 0, 31, 11),
        toMs: Date.UTC(2026, 0, 31, 12, 0, 0, 500),
      },
      options: { limit: 5, from: undefined },
    },
  ]);
});

test('a cursor leads to the next page of the same search, and to no other', async () => {
  await using gateway = await startTestGateway();
  const next = { micros: 1_769_860_800_123_456, hash: 0xffff_ffff, after: 'call-1.~.1769860800123456789' };
  gateway.search.page = { calls: [], next, complete: false };
  const { body } = await ask(gateway, '?status=failed&status=expired&limit=1');
  expect(body).toMatchObject({ complete: false, cursor: expect.stringMatching(/^[A-Za-z0-9_-]+$/) });
  expect((await ask(gateway, `?limit=7&status=expired&status=failed&cursor=${body.cursor}`)).status).toBe(200);
  expect(gateway.search.asked.at(-1)?.options).toEqual({ limit: 7, from: next });
  expect(await ask(gateway, `?status=failed&cursor=${body.cursor}`)).toMatchObject({
    status: 400,
    body: {
      code: 'invalid_parameter',
      detail: expect.stringMatching(/^cursor belongs to a search with other filters/),
    },
  });
});

const before = '2026-01-31T12:00:00Z';

describe('a parameter that is wrong is named, with what would be right', () => {
  let gateway: TestGateway;

  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway[Symbol.asyncDispose]());

  test.each([
    ['function=', /^function must be NAME or NAME\.NAMESPACE.*such as thumbnail/],
    ['function=a.b.c', /^function must be/],
    ['function=a&function=b', /^function is sent more than once: send it once/],
    ['queue=a.b', /^queue must be the name of a queue/],
    ['status=', /^status must be one of scheduled, queued, .*expired\./],
    ['status=failed&status=dead', /^status must be one of .*, and value 2 is none of them/],
    ['status=failed,expired', /^status must be one of .*Repeat the parameter/],
    ['label=a%20b', /^label must be one label/],
    ['label=a&label=b', /^label is sent more than once/],
    ['flowKey=a%20b', /^flowKey must be one flow key/],
    ['flowKey=..', /^flowKey must be/],
    ['flowKey=a&flowKey=b', /^flowKey is sent more than once/],
    ['parent=a.b', /^parent must be a call id/],
    ['batch=*', /^batch must be the id of a batch/],
    ['from=yesterday', /^from must be an RFC 3339 date-time .*such as 2030-01-31T12:00:00Z/],
    ['from=2026-01-31', /^from must be/],
    ['from=2026-02-30T00:00:00Z', /^from must be/],
    ['to=1769860800', /^to must be/],
    ['to=2026-01-31T12:00:60Z', /^to must be/],
    [`from=${before}&to=2026-01-31T11:59:59Z`, /^from is later than to/],
    ['limit=0', /^limit must be one whole number from 1 to 1000/],
    ['limit=1001', /^limit must be/],
    ['limit=1e2', /^limit must be/],
    ['limit=1&limit=2', /^limit must be one whole number/],
    ['cursor=', /^cursor must be the cursor of the page before/],
    ['cursor=abc', /^cursor must be/],
    ['cursor=%00%ff', /^cursor must be/],
    ['functions=echo', /^There is a parameter that this path does not know\. It knows function, queue, /],
  ])('%s', async (query, detail) => {
    const { status, body } = await ask(gateway, `?${query}`);
    expect({ status, code: body.code }).toEqual({ status: 400, code: 'invalid_parameter' });
    expect(body.detail).toMatch(detail);
    expect(gateway.search.asked).toEqual([]);
  });
});

test('it takes the scope read, and a token that is limited to functions sees the calls of these alone', async () => {
  const invoker = testToken('invoker', { scopes: ['invoke'] });
  const reader = testToken('reader', { scopes: ['read'], functions: ['ec*'] });
  const operator = testToken('operator', { scopes: ['admin'] });
  const tokens = tokensOf([invoker, reader, operator]);
  await using gateway = await startTestGateway({ tokens: () => tokens });
  expect((await ask(gateway, '', invoker.bearer)).status).toBe(403);
  expect((await ask(gateway, '')).status).toBe(401);
  expect((await ask(gateway, '', reader.bearer)).status).toBe(200);
  expect((await ask(gateway, '', operator.bearer)).status).toBe(200);
  const [ofReader, ofOperator] = gateway.search.asked.map(({ filter }) => filter.covers);
  expect(['echo', 'hash.prod'].map((name) => ofReader?.(name))).toEqual([true, false]);
  expect(ofOperator).toBeUndefined();
});

test('without the broker it is refused', async () => {
  await using gateway = await startTestGateway();
  gateway.calls.available = false;
  expect((await ask(gateway, '')).status).toBe(503);
});

test.each(['GET', 'HEAD'])('a %s whose client is gone has its turn until its search has ended', async (method) => {
  await using gateway = await startTestGateway();
  const { server } = gateway.app;
  const countConnections = promisify(server.getConnections.bind(server));
  const over = new AbortController();
  gateway.search.until = once(over.signal, 'abort');
  const clients = Array.from({ length: 8 }, () => connect(gateway.port, '127.0.0.1'));
  for (const client of clients) {
    client.write(`${method} /system/calls HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }
  await eventually(() => gateway.search.asked.length === 8);
  for (const client of clients) {
    client.resetAndDestroy();
  }
  await eventually(async () => (await countConnections()) === 0);
  const next = ask(gateway, '');
  await eventually(async () => (await countConnections()) === 1);
  await request(`${gateway.url}/healthz`).then(({ body }) => body.dump());
  expect(gateway.search.asked).toHaveLength(8);
  over.abort();
  expect((await next).status).toBe(200);
});
