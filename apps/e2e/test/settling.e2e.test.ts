import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '@asyncfn/stack';
import {
  eventually,
  type RequestHandler,
  sleep,
  startCallbackReceiver,
  startTestFunction,
  status,
} from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { Records } from './harness/broker/records.ts';
import { startStack } from './harness/stack.ts';
import { grainMs, waitsMs } from './harness/timing.ts';

const mebibyte = 1024 * 1024;
const quick = { attempts: 3, minWait: '100ms', maxWait: '10s', backoff: 'exponential' };

describe('a deadline', () => {
  test("of the function or of the call closes the socket, counts as 504 and is retried within the call's budget", async () => {
    const handler = sleep(60_000);
    await using own = await startTestFunction({ handler });
    await using callers = await startTestFunction({ handler });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: {
        own: { url: own.url, timeout: '300ms', retry: quick },
        callers: { url: callers.url, timeout: '60s', retry: quick },
      },
    });
    await using client = new ApiClient(stack.gateway.url);
    const headers = { 'X-Max-Retries': '1' };
    await client.accept('own', { headers, callbackUrl: `${inbox.url}/own` });
    await client.accept('callers', {
      headers: { ...headers, 'X-Timeout': '300ms' },
      callbackUrl: `${inbox.url}/callers`,
    });
    const callbacks = await inbox.waitForCallbacks(2);

    for (const fn of [own, callers]) {
      expect(fn.invocations.map(({ headers: sent }) => [sent['x-retry'], sent['x-retry-max']])).toEqual([
        ['0', '1'],
        ['1', '1'],
      ]);
      await eventually(() => fn.invocations.every(({ aborted }) => aborted));
    }
    expect(callbacks.map(({ headers: told }) => [told['x-function-status'], told['x-retry']])).toEqual([
      ['504', '1'],
      ['504', '1'],
    ]);
    expect(callbacks.map(({ body }) => body.length)).toEqual([0, 0]);
  });

  test('that is not set never comes: a function may be silent for long, before its answer and during it', async () => {
    const handler: RequestHandler = async (_, response) => {
      await delay(4_000);
      response.write('first ');
      await delay(4_000);
      response.end('last');
    };
    await using fn = await startTestFunction({ handler });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({ functions: { slow: fn.url }, workerEnv: { ACK_WAIT: '1s' } });
    await using client = new ApiClient(stack.gateway.url);
    await client.accept('slow', { callbackUrl: inbox.url });
    const [callback] = await inbox.waitForCallbacks(1);

    expect(callback?.body.toString()).toBe('first last');
    expect(fn.invocations).toHaveLength(1);
  });
});

describe('a response of more than MAX_RESPONSE_BYTES', () => {
  test("ends the call with 502 and an empty body, and the worker's memory does not grow by it", async () => {
    const calls = 20;
    const handler: RequestHandler = (_, response) => pipeline(Readable.from(chunks(10 * mebibyte)), response);
    await using fn = await startTestFunction({ handler });
    await using inbox = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { large: { url: fn.url, retry: quick } },
      workerEnv: { MAX_RESPONSE_BYTES: '64KiB' },
    });
    await using records = await Records.open(stack.nats.url);
    await using client = new ApiClient(stack.gateway.url);
    // One call first: a process that has just started grows in any case.
    await client.acceptMany('large', calls, { callbackUrl: inbox.url });
    await inbox.waitForCallbacks(calls);
    const before = await stack.worker.metric('process_resident_memory_bytes');
    const callIds = await client.acceptMany('large', calls, { callbackUrl: inbox.url });
    const callbacks = await inbox.waitForCallbacks(2 * calls);
    await stack.untilSettled();

    expect(new Set(callbacks.map(({ headers, body }) => `${headers['x-function-status']} ${body.length}`))).toEqual(
      new Set(['502 0']),
    );
    expect(callIds.map((callId) => fn.countBy(callId))).toEqual(callIds.map(() => 1));
    expect(await records.deadLetters(callIds[0] ?? '')).toMatchObject([{ reason: 'response_too_large' }]);
    // Far less than the function wanted to send.
    expect(await stack.worker.metric('process_resident_memory_bytes')).toBeLessThan(before + 100 * mebibyte);
  });
});

describe('the answer of a function', () => {
  test('decides what follows', async () => {
    await using busy = await startTestFunction({ handler: status(503, { times: 1, retryAfter: 2 }) });
    await using stubborn = await startTestFunction({
      handler: status(503, { headers: { 'X-Non-Retryable': 'true' }, body: 'never' }),
    });
    await using internal = await startTestFunction({
      handler: status(400, { times: 1, headers: { 'X-OpenFaaS-Internal': 'true' } }),
    });
    await using picky = await startTestFunction({ handler: status(422, { body: 'no such field' }) });
    await using target = await startTestFunction();
    await using moved = await startTestFunction({ handler: status(302, { headers: { Location: target.url } }) });
    await using inbox = await startCallbackReceiver();
    const functions = { busy, stubborn, internal, picky, moved };
    await using stack = await startStack({
      functions: Object.fromEntries(Object.entries(functions).map(([name, { url }]) => [name, { url, retry: quick }])),
    });
    await using records = await Records.open(stack.nats.url);
    await using client = new ApiClient(stack.gateway.url);
    const callIds = new Map<string, string>();
    for (const name of Object.keys(functions)) {
      callIds.set(name, await client.accept(name, { callbackUrl: inbox.url }));
    }
    await inbox.waitForCallbacks(callIds.size);
    await stack.untilSettled();

    const told = Object.entries(functions).map(([name, fn]) => {
      const callbacks = inbox.byCallId(callIds.get(name) ?? '');
      const [{ headers, body } = { headers: {} as Record<string, string>, body: '' }] = callbacks;
      return [name, callbacks.length, headers['x-function-status'], body.toString(), fn.invocations.length];
    });
    expect(told).toEqual([
      ['busy', 1, '200', '', 2],
      ['stubborn', 1, '503', 'never', 1],
      ['internal', 1, '200', '', 2],
      ['picky', 1, '422', 'no such field', 1],
      ['moved', 1, '302', '', 1],
    ]);
    expect(target.invocations).toEqual([]);
    // `Retry-After`, and not the 100 ms of the policy.
    expect(waitsMs(busy, callIds.get('busy') ?? '')[0]).toBeGreaterThanOrEqual(2_000 - grainMs);
    expect(await records.deadLetters(callIds.get('stubborn') ?? '')).toMatchObject([{ reason: 'non_retryable' }]);
    expect(await records.deadLetters(callIds.get('picky') ?? '')).toMatchObject([{ reason: 'rejected' }]);
    expect(await records.deadLetters(callIds.get('moved') ?? '')).toEqual([]);
  });
});

function* chunks(bytes: number): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024);
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    yield chunk;
  }
}
