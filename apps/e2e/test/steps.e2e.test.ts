import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import {
  type CallbackReceiver,
  eventually,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

let stack: Stack;
let client: ApiClient;
let calls: CallClient;
let functions: Record<'fine' | 'broken', TestFunction>;
let inbox: CallbackReceiver;
let failures: CallbackReceiver;

beforeAll(async () => {
  const [fine, broken] = await Promise.all([startTestFunction(), startTestFunction()]);
  broken.handler = status(400, { body: 'not like this' });
  functions = { fine, broken };
  [inbox, failures] = await Promise.all([startCallbackReceiver(), startCallbackReceiver()]);
  stack = await startStack({
    functions: {
      fine: fine.url,
      broken: broken.url,
      told: { url: fine.url, callbackUrl: `${inbox.url}/by-default`, failureCallbackUrl: `${failures.url}/by-default` },
    },
  });
  client = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
}, 60_000);

afterAll(async () => {
  const parts = [client, calls, stack, inbox, failures, ...Object.values(functions)];
  await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()));
});

/** The one callback of a call. */
async function callbackOf(callId: string, at: CallbackReceiver) {
  const callback = await eventually(() => at.byCallId(callId)[0], { timeoutMs: 30_000 });
  await eventually(async () => (await calls.state(callId))['callback'], { timeoutMs: 30_000 });
  return callback;
}

describe('two kinds of ends', () => {
  test('a failure goes to X-Failure-Callback-Url alone, a success to X-Callback-Url alone', async () => {
    const options = { headers: { 'X-Failure-Callback-Url': `${failures.url}/a?b` }, callbackUrl: inbox.url };
    const [bad, good] = [await client.accept('broken', options), await client.accept('fine', options)];
    const failure = await callbackOf(bad, failures);
    expect([failure.url, failure.body.toString()]).toEqual(['/a?b', 'not like this']);
    expect(failure.headers).toMatchObject({ 'x-function-status': '400', 'x-function-name': 'broken' });
    expect((await callbackOf(good, inbox)).headers).toMatchObject({ 'x-function-status': '200' });
    expect([inbox.byCallId(bad), failures.byCallId(good)]).toEqual([[], []]);
    expect(await calls.state(bad)).toMatchObject({ status: 'failed', callback: { url: `${failures.url}/a` } });
    expect(await calls.state(good)).toMatchObject({ status: 'succeeded', callback: { status: 'delivered' } });
  });

  test('a call that expires goes to X-Failure-Callback-Url', async () => {
    const headers = { 'X-Failure-Callback-Url': failures.url, 'X-Delay': '1h', 'X-Expires-In': '100ms' };
    const callId = await client.accept('fine', { headers, callbackUrl: inbox.url });
    expect((await callbackOf(callId, failures)).headers).toMatchObject({ 'x-function-status': '504' });
    expect(inbox.byCallId(callId)).toEqual([]);
  });

  test('a success without X-Callback-Url tells nobody', async () => {
    const callId = await client.accept('fine', { headers: { 'X-Failure-Callback-Url': failures.url } });
    const ended = await calls.untilEnded(callId);
    expect(ended).toMatchObject({ status: 'succeeded' });
    expect(ended).not.toHaveProperty('callback');
  });

  test('a failure URL is checked as X-Callback-Url is', async () => {
    const refused = await client.call('fine', { headers: { 'X-Failure-Callback-Url': 'http://169.254.169.254/' } });
    expect([refused.status, refused.code]).toEqual([400, 'callback_not_allowed']);
    expect(refused.text).toContain('X-Failure-Callback-Url');
  });

  test('the settings of a function say who is told where the caller says nothing', async () => {
    expect((await callbackOf(await client.accept('told'), inbox)).url).toBe('/by-default');
    const own = await client.accept('told', { callbackUrl: `${inbox.url}/own` });
    expect((await callbackOf(own, inbox)).url).toBe('/own');
    functions.fine.handler = status(400, { times: 1 });
    expect((await callbackOf(await client.accept('told'), failures)).url).toBe('/by-default');
  });
});

test('forwarded headers reach receivers in the place of those of the function, and nothing else (P9)', async () => {
  functions.fine.handler = (_, response) => void response.setHeader('X-Tenant', 'of the function').end('done');
  const headers = { 'X-Callback-Forward-X-Tenant': 'tenant-s3cret', 'X-Callback-Forward-Authorization': 'Bearer r' };
  const callId = await client.accept('fine', { headers, callbackUrl: inbox.url });
  const callback = await callbackOf(callId, inbox);
  expect(callback.headers).toMatchObject({ 'x-tenant': 'tenant-s3cret', authorization: 'Bearer r' });
  const [invocation] = functions.fine.byCallId(callId);
  expect(JSON.stringify(invocation?.rawHeaders)).not.toMatch(/s3cret|Bearer|callback/i);
  expect(JSON.stringify(await calls.state(callId))).not.toContain('s3cret');
});
