import { request } from 'undici';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway[Symbol.asyncDispose]());

async function purge(path: string) {
  const { statusCode, headers, body } = await request(`${gateway.url}/system/${path}/purge`, {
    method: 'POST',
    body: 'ignored',
  });
  return { status: statusCode, headers, body: (await body.json()) as object };
}

test('a purge of a queue or a function reports how many calls it has cancelled', async () => {
  gateway.purges.progress = { purged: 12, done: true };
  expect(await purge('queues/heavy')).toMatchObject({ status: 200, body: { purged: 12, done: true } });
  expect(await purge('functions/hash.prod')).toMatchObject({ status: 200, body: { purged: 12, done: true } });
  expect(gateway.purges.asked).toEqual([{ queue: 'heavy' }, { function: 'hash.prod' }]);
});

test('a purge that goes on is 202, and says when to ask again', async () => {
  gateway.purges.progress = { purged: 512, done: false };
  const answer = await purge('functions/echo');
  expect(answer).toMatchObject({ status: 202, headers: { 'retry-after': '5' }, body: { purged: 512, done: false } });
});

test('a function that is not registered can be purged if calls of it wait, and is unknown otherwise', async () => {
  gateway.purges.progress = { purged: 1, done: true };
  expect(await purge('functions/gone')).toMatchObject({ status: 200 });
  gateway.purges.progress = { purged: 0, done: true };
  expect(await purge('functions/gone')).toMatchObject({ status: 404, body: { code: 'unknown_function' } });
  expect(await purge('functions/echo')).toMatchObject({ status: 200 });
});

test.each([
  ['queues/unknown', 404, 'unknown_queue'],
  ['queues/a.b', 400, 'invalid_parameter'],
  ['queues/%3E', 400, 'invalid_parameter'],
  ['functions/a.b.c', 400, 'invalid_parameter'],
  ['functions/*', 400, 'invalid_parameter'],
])('a purge of %s is %i %s', async (path, status, code) => {
  expect(await purge(path)).toMatchObject({ status, body: { code } });
  expect(gateway.purges.asked).toEqual([]);
});

test('nothing is purged while the broker is away', async () => {
  gateway.calls.available = false;
  expect(await purge('queues/default')).toMatchObject({ status: 503, body: { code: 'broker_unavailable' } });
});
