import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { aliveCall, endedCall } from './call-fixture.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { type TestToken, testToken, tokensOf } from './test-tokens.ts';

const submitter = testToken('submitter', { scopes: ['invoke'] });
const other = testToken('other', { scopes: ['invoke'] });
const reader = testToken('reader', { scopes: ['read'] });
const readerOfOthers = testToken('reader-of-others', { scopes: ['read'], functions: ['hash.*'] });
const admin = testToken('admin', { scopes: ['admin'] });
const tokens = tokensOf([submitter, other, reader, readerOfOthers, admin]);

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ tokens: () => tokens });
});

beforeEach(() => {
  gateway.calls.standings.clear();
  gateway.calls.standings.set('alive', aliveCall('alive', 'queued', { submitter: 'submitter' }));
  gateway.calls.standings.set('ended', endedCall('ended', { submitter: 'submitter' }));
  gateway.canceller.asked.length = 0;
});

afterAll(() => gateway[Symbol.asyncDispose]());

async function ask(token: TestToken, method: 'GET' | 'DELETE', path: string) {
  const { statusCode, body } = await request(`${gateway.url}/async-function/${path}`, {
    method,
    headers: { authorization: token.bearer },
  });
  return { status: statusCode, text: await body.text() };
}

test.each([
  [submitter, 200, 200, true],
  [other, 404, 404, false],
  [reader, 200, 200, false],
  [readerOfOthers, 404, 404, false],
  [admin, 200, 200, true],
])('$name sees and ends of the calls of a submitter what it may', async (token, state, result, cancels) => {
  expect((await ask(token, 'GET', 'alive')).status).toBe(state);
  expect((await ask(token, 'GET', 'ended/result')).status).toBe(result);
  await ask(token, 'DELETE', 'alive');
  expect(gateway.canceller.asked).toEqual(cancels ? ['alive'] : []);
});

test('to whom a call is hidden, it is answered as one that there never was', async () => {
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/result'],
    ['DELETE', ''],
  ] as const) {
    expect(await ask(other, method, `ended${path}`)).toEqual(await ask(other, method, `never${path}`));
  }
});

test('a reader that may see a call is told that it may not cancel it', async () => {
  expect((await ask(reader, 'DELETE', 'alive')).status).toBe(403);
});
