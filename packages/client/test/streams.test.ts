import type { ServerResponse } from 'node:http';
import { allOf, type RecordedRequest, startCallbackReceiver } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { AsyncfnClient } from '../src/index.ts';

type Handler = (request: RecordedRequest, response: ServerResponse) => void;

/** A server that answers the requests in turn, the last handler for all that come after. */
async function startGateway(...handlers: Handler[]) {
  let served = 0;
  const server = await startCallbackReceiver({
    respond: (request, response) => handlers[Math.min(served++, handlers.length - 1)]?.(request, response),
  });
  const client = new AsyncfnClient({ url: server.url, retry: { minWaitMs: 1, maxWaitMs: 2, attempts: 3 } });
  return { server, client, [Symbol.asyncDispose]: () => server.close() };
}

const stream =
  (text: string, then: 'break' | 'end' | 'stay'): Handler =>
  (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' });
    response.write(text, () => {
      if (then === 'break') {
        response.destroy();
      } else if (then === 'end') {
        response.end();
      }
    });
  };

const event = (type: string, data: unknown): string => `event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;

test('a stream of events goes on after its connection breaks or ends, and asks what was missed', async () => {
  await using gateway = await startGateway(
    stream(event('ended', { callId: 'a' }) + event('ended', { callId: 'cut' }).slice(0, -5), 'break'),
    (_request, response) => void response.destroy(),
    stream(event('missed', { missed: null, reason: 'not_kept' }) + event('later_version', { callId: 'b' }), 'end'),
    stream(event('started', { callId: 'c', attempt: { attempt: 1 } }), 'stay'),
  );
  const seen: unknown[] = [];
  for await (const each of gateway.client.events({ function: 'hash' })) {
    seen.push(each);
    if (each.type === 'started') {
      break;
    }
  }
  expect(seen).toEqual([
    { type: 'ended', call: { callId: 'a' }, attempt: undefined },
    { type: 'missed', missed: null, reason: 'not_kept' },
    { type: 'started', call: { callId: 'c' }, attempt: { attempt: 1 } },
  ]);
  const { callbacks } = gateway.server;
  expect(callbacks.map(({ url }) => url)).toEqual(Array.from({ length: 4 }, () => '/system/events?function=hash'));
  expect(callbacks.map(({ headers }) => headers['last-event-id'] !== undefined)).toEqual([false, true, true, true]);
  // Leaving the loop has closed the connection.
  await expect.poll(() => callbacks[3]?.aborted).toBe(true);
});

test('a signal ends a stream of events, open or not', async () => {
  await using gateway = await startGateway(stream(event('ended', { callId: 'a' }), 'stay'));
  const controller = new AbortController();
  const follow = async (): Promise<void> => {
    for await (const _ of gateway.client.events({ signal: controller.signal })) {
      controller.abort(new Error('enough'));
    }
  };
  await expect(follow()).rejects.toThrow('enough');
  await expect(follow()).rejects.toThrow('enough');
  expect(gateway.server.callbacks).toHaveLength(1);
});

test('a stream that the gateway refuses, or that it never begins, is an error', async () => {
  await using gateway = await startGateway(
    (_request, response) => void response.writeHead(403).end('{"code":"forbidden"}'),
    (_request, response) => void response.destroy(),
  );
  await expect(gateway.client.events().next()).rejects.toMatchObject({ code: 'forbidden' });
  await expect(gateway.client.events().next()).rejects.toMatchObject({ code: 'unreachable' });
  expect(gateway.server.callbacks).toHaveLength(5);
});

test('a call is followed to its end over broken connections, each state once', async () => {
  const state = (status: string): string => event('state', { callId: 'a', status });
  await using gateway = await startGateway(
    stream(state('queued') + state('running'), 'break'),
    stream(state('running') + state('succeeded'), 'end'),
  );
  const states = await allOf(gateway.client.follow('a'));
  expect(states.map(({ status }) => status)).toEqual(['queued', 'running', 'succeeded']);
});

test('results of a batch are read page by page, and go on where a page breaks off', async () => {
  const line = (index: number): string =>
    `${JSON.stringify({ index, callId: `b-${index}`, function: 'hash', status: 'succeeded', body: `${index}` })}\n`;
  const page =
    (text: string, next: string | undefined, breaks = false): Handler =>
    (_request, response) => {
      response.writeHead(200, next === undefined ? {} : { 'X-Next-Cursor': next });
      response.write(text, () => void (breaks ? response.destroy() : response.end()));
    };
  await using gateway = await startGateway(
    page(line(0) + line(2), '3'),
    page(line(3) + line(4).slice(0, 20), '6', true),
    page(line(4), undefined),
  );
  const results = await allOf(gateway.client.batches.results('b', { pageSize: 3 }));
  expect(results.map((result) => [result.index, result.text()])).toEqual([
    [0, '0'],
    [2, '2'],
    [3, '3'],
    [4, '4'],
  ]);
  expect(gateway.server.callbacks.map(({ url }) => url)).toEqual(
    ['?limit=3', '?cursor=3&limit=3', '?cursor=4&limit=3'].map((query) => `/async-batch/b/results${query}`),
  );
});

test('calls of all pages come one after the other, asked for as they are used', async () => {
  await using gateway = await startGateway(({ url }, response) => {
    const page = url.includes('cursor=2') ? { calls: [{ callId: 'c' }] } : { calls: [{ callId: 'a' }], cursor: '2' };
    response.end(JSON.stringify({ ...page, complete: true }));
  });
  const calls = gateway.client.calls({ status: ['failed', 'expired'], label: 'a=b', limit: 1 });
  expect(await calls.next()).toMatchObject({ value: { callId: 'a' } });
  expect(gateway.server.callbacks.map(({ url }) => url)).toEqual([
    '/system/calls?status=failed&status=expired&label=a%3Db&limit=1',
  ]);
  expect(await allOf(calls)).toEqual([{ callId: 'c' }]);
  expect(gateway.server.callbacks).toHaveLength(2);
});

test('a wait whose connection breaks goes on for what is left of its time', async () => {
  const running = '{"callId":"a","status":"running"}';
  await using gateway = await startGateway(
    (_request, response) => void setTimeout(() => response.destroy(), 300),
    (_request, response) => void setTimeout(() => response.end(running), 50),
    (_request, response) => void response.end('{"callId":"a","status":"succeeded"}'),
  );
  expect(await gateway.client.wait('a', { timeoutMs: 20_000 })).toMatchObject({ status: 'succeeded' });
  const waits = gateway.server.callbacks.map(({ url }) => Number(/wait=(\d+)ms$/.exec(url)?.[1]));
  expect(waits).toHaveLength(3);
  expect(waits[0]).toBeGreaterThan(waits[1]! + 250);
  expect(waits[1]).toBeGreaterThan(waits[2]!);
});
