import { ApiClient, CallClient } from '@asyncfn/stack';
import { startCallbackReceiver, startTestFunction, status } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

describe('the result of a call', () => {
  test("reaches its callback URL, with the function's own headers and the facts about the call", async () => {
    await using fn = await startTestFunction({
      handler: (_, response) => {
        response.writeHead(201, { 'Content-Type': 'image/png', 'X-Own': 'yes', 'Set-Cookie': 'session=1' });
        response.end(Buffer.from([0, 255, 10, 13]));
      },
    });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({ functions: { 'thumbnail.team': fn.url } });
    await using client = new ApiClient(stack.gateway.url);
    const callbackUrl = `${inbox.url.replace('//', '//partner:pass%20word@')}/hook?a=%2F&b`;
    const accepted = await client.call('thumbnail.team', { headers: { traceparent }, callbackUrl });
    const [callback] = await inbox.waitForCallbacks(1);

    expect(callback?.url).toBe('/hook?a=%2F&b');
    expect(callback?.body).toEqual(Buffer.from([0, 255, 10, 13]));
    expect(callback?.headers).toMatchObject({
      authorization: `Basic ${Buffer.from('partner:pass word').toString('base64')}`,
      'content-type': 'image/png',
      'x-own': 'yes',
      'x-call-id': accepted.callId,
      'x-function-name': 'thumbnail.team',
      'x-function-status': '201',
      'x-start-time': accepted.headers['x-start-time'],
      'x-duration-seconds': expect.stringMatching(/^\d+\.\d+$/),
      'x-retry': '0',
      traceparent,
      'user-agent': expect.stringMatching(/^asyncfn-worker\//),
    });
    expect(callback?.headers).not.toHaveProperty('set-cookie');
    expect(fn.invocations[0]?.headers).toMatchObject({ traceparent, 'x-start-time': accepted.headers['x-start-time'] });
  });

  test('reaches its callback URL with all its headers, and a client that requests it gets the harmless ones', async () => {
    const harmful = { 'Cache-Control': 'public, max-age=60', 'Access-Control-Allow-Origin': '*', Refresh: '0; url=/x' };
    const headers = { ...harmful, 'Content-Type': 'text/html', 'X-Own': 'yes', 'X-Content-Type-Options': 'none' };
    await using fn = await startTestFunction({ handler: (_, response) => void response.writeHead(200, headers).end() });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({ functions: { fn: fn.url } });
    await using client = new ApiClient(stack.gateway.url);
    await using calls = new CallClient(stack.gateway.url);
    const callId = await client.accept('fn', { callbackUrl: inbox.url });
    const [callback] = await inbox.waitForCallbacks(1);

    const lower = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
    expect(callback?.headers).toMatchObject(Object.fromEntries(lower));
    const result = await calls.result(callId);
    expect(result.headers).toMatchObject({
      'content-type': 'text/html',
      'x-own': 'yes',
      'cache-control': 'private, no-store',
      'x-content-type-options': 'nosniff',
    });
    expect(result.headers).not.toHaveProperty('access-control-allow-origin');
    expect(result.headers).not.toHaveProperty('refresh');
  });

  test('that is an error, or a redirect, is delivered as it is', async () => {
    await using failing = await startTestFunction({ handler: status(404, { body: 'broken' }) });
    await using moved = await startTestFunction({ handler: status(302, { headers: { Location: failing.url } }) });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({ functions: { failing: failing.url, moved: moved.url } });
    await using client = new ApiClient(stack.gateway.url);
    const callIds = [
      await client.accept('failing', { callbackUrl: inbox.url }),
      await client.accept('moved', { callbackUrl: inbox.url }),
    ];
    await inbox.waitForCallbacks(2);

    const results = callIds.map((callId) => inbox.byCallId(callId)[0]);
    expect(results.map((result) => result?.headers['x-function-status'])).toEqual(['404', '302']);
    expect(results[0]?.body.toString()).toBe('broken');
    expect(failing.invocations).toHaveLength(1);
  });

  test("is 503 and empty if no server listens at the function's URL, or the connection breaks", async () => {
    const gone = await startTestFunction();
    const goneUrl = gone.url;
    await gone.close();
    await using breaking = await startTestFunction({ handler: (_, response) => void response.destroy() });
    await using inbox = await startCallbackReceiver();
    const retry = { attempts: 0 };
    await using stack = await startStack({
      functions: { gone: { url: goneUrl, retry }, breaking: { url: breaking.url, retry } },
    });
    await using client = new ApiClient(stack.gateway.url);
    await client.accept('gone', { callbackUrl: inbox.url });
    await client.accept('breaking', { callbackUrl: inbox.url });
    const callbacks = await inbox.waitForCallbacks(2);
    await stack.untilSettled();

    expect(callbacks.map(({ headers }) => headers['x-function-status'])).toEqual(['503', '503']);
    expect(callbacks.map(({ body }) => body.length)).toEqual([0, 0]);
  });
});
