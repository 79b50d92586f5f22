import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { activeCall, endedCall } from './call-fixture.ts';
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
  gateway.calls.states.clear();
  gateway.calls.states.set('active', activeCall('active', 'queued', { submitter: 'submitter' }));
  gateway.calls.states.set('ended', endedCall('ended', { submitter: 'submitter' }));
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
  expect((await ask(token, 'GET', 'active')).status).toBe(state);
  expect((await ask(token, 'GET', 'ended/result')).status).toBe(result);
  expect((await ask(token, 'GET', 'active/attempts')).status).toBe(state);
  await ask(token, 'DELETE', 'active');
  expect(gateway.canceller.asked).toEqual(cancels ? ['active of submitter'] : []);
});

test('a caller that may not see a call gets the same answer as for one that never existed', async () => {
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/result'],
    ['GET', '/attempts'],
    ['DELETE', ''],
  ] as const) {
    expect(await ask(other, method, `ended${path}`)).toEqual(await ask(other, method, `never${path}`));
  }
});

test('a reader that may see a call is told that it may not cancel it', async () => {
  expect((await ask(reader, 'DELETE', 'active')).status).toBe(403);
});

test('if several submitters use an id, each gets its own call, and readers get the newest one that they may see', async () => {
  const put = (name: string, owner: string | undefined, functionName: string) => {
    const fields = { ...(owner !== undefined && { submitter: owner }), function: functionName };
    gateway.calls.states.set(name, activeCall('shared', 'queued', fields));
  };
  // The newest one first.
  put('1', undefined, 'echo');
  put('2', 'submitter', 'echo.team');
  put('3', 'other', 'hash.team');
  const submitterOf = async (token: TestToken, query = '') =>
    (JSON.parse((await ask(token, 'GET', `shared${query}`)).text) as { submitter?: string }).submitter;
  expect(await submitterOf(submitter)).toBe('submitter');
  expect(await submitterOf(other)).toBe('other');
  expect((await ask(admin, 'GET', 'shared')).status).toBe(200);
  expect(await submitterOf(admin)).toBeUndefined();
  expect(await submitterOf(admin, '?submitter=other')).toBe('other');
  expect(await submitterOf(admin, '?submitter=')).toBeUndefined();
  expect(await submitterOf(readerOfOthers)).toBe('other');
  expect((await ask(readerOfOthers, 'GET', 'shared?submitter=submitter')).status).toBe(404);
  expect((await ask(admin, 'GET', 'shared?submitter=a%20b')).status).toBe(400);
});

test('the call that was found is cancelled, even if others have the same id', async () => {
  gateway.calls.states.set('1', activeCall('shared', 'queued', { submitter: 'other' }));
  gateway.calls.states.set('2', activeCall('shared', 'queued', { submitter: 'submitter' }));
  await ask(submitter, 'DELETE', 'shared');
  await ask(admin, 'DELETE', 'shared?submitter=other');
  expect(gateway.canceller.asked).toEqual(['shared of submitter', 'shared of other']);
});
