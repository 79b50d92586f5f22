import { ApiClient, type Stack } from '@asyncfn/stack';
import { startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { type RawAnswer, rawExchange, rawPost } from './harness/wire/raw-exchange.ts';

/** Headers of a message that JetStream takes for commands (NATS ADR-4, -15, -43, -51). */
const brokerOrders = [
  'Nats-Rollup: all',
  'Nats-Rollup: sub',
  'Nats-Msg-Id: x',
  'Nats-Schedule: @at 2009-11-10T23:00:00Z',
  'Nats-Schedule-Target: calls.default.ready.~.echo.x.~.1',
  'Nats-Expected-Last-Sequence: 999999',
  'Nats-Expected-Last-Subject-Sequence: 999999',
  'Nats-Expected-Stream: OTHER',
  'Nats-TTL: 1s',
  'Nats-Batch-Id: x',
  'Nats-Batch-Commit: 1',
  'Nats-Marker-Reason: Purge',
  'Asyncfn-Call: {}',
] as const;

const hostileNames: readonly (readonly [title: string, name: string])[] = [
  ['a wildcard for one token', '*'],
  ['a wildcard for all tokens', '>'],
  ['a wildcard behind a name', 'echo.*'],
  ['a tail wildcard behind a name', 'echo.>'],
  ['a dot alone', '.'],
  ['two dots', '..'],
  ['a dot at its end', 'echo.'],
  ['a dot at its start', '.echo'],
  ['more tokens than two', 'echo.ns.more'],
  ['an escaped dot', 'echo%2ens'],
  ['an escaped slash', 'echo%2Fx'],
  ['an escaped space', 'echo%20x'],
  ['an escaped wildcard', '%3E'],
  ['an escaped NUL', 'echo%00'],
  ['an escaped line end', 'echo%0d%0aPUB%20x%200'],
  ['half an escape', 'echo%'],
  ['a tilde, our word for no namespace', 'echo.~'],
  ['an empty name', ''],
  ['64 characters', 'e'.repeat(64)],
  ['10,000 characters', 'e'.repeat(10_000)],
  ['a byte beyond ASCII', 'ech\u00f6'],
  ['a space', 'echo x'],
  ['a tab', 'echo\tx'],
  ['a NUL', 'echo\0'],
  ['a carriage return', 'echo\rX-Injected: 1'],
];

const waiting = 20;

/** A queue with calls in it that no worker takes yet. */
async function startWithWaitingCalls(fn: TestFunction): Promise<{ stack: Stack; callIds: string[] }> {
  const stack = await startStack({ functions: { echo: fn.url }, workers: 0 });
  await using client = new ApiClient(stack.gateway.url);
  return { stack, callIds: await client.acceptMany('echo', waiting) };
}

/** All the calls, and no others, reach the function once. */
async function expectDelivered(stack: Stack, fn: TestFunction, callIds: readonly string[]): Promise<void> {
  expect(await stack.queued()).toBe(callIds.length);
  await stack.startWorker();
  await fn.waitForInvocations(callIds.length);
  await stack.untilSettled();
  expect(fn.invocations).toHaveLength(callIds.length);
  expect(callIds.filter((callId) => fn.countBy(callId) !== 1)).toEqual([]);
}

function expectProblem({ status, head, body }: RawAnswer): void {
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(500);
  expect(head).toMatch(/^content-type: application\/problem\+json\r?$/im);
  expect(JSON.parse(body)).toMatchObject({
    status,
    code: expect.stringMatching(/^[a-z_]+$/),
    detail: expect.any(String),
  });
}

describe('hostile input', () => {
  test('headers that are commands of the broker have no effect, and reach the function as they came', async () => {
    await using fn = await startTestFunction();
    const { stack, callIds } = await startWithWaitingCalls(fn);
    await using _ = stack;
    const hostile: string[] = [];
    for (const header of brokerOrders) {
      const { status, body } = await rawExchange(stack.gateway.url, rawPost('/async-function/echo', [header]));
      expect({ header, status }).toEqual({ header, status: 202 });
      hostile.push((JSON.parse(body) as { callId: string }).callId);
    }
    await expectDelivered(stack, fn, [...callIds, ...hostile]);
    for (const [index, header] of brokerOrders.entries()) {
      const [name = '', value = ''] = header.split(/: /);
      expect(fn.byCallId(hostile[index] ?? '')[0]?.headers[name.toLowerCase()]).toBe(value);
    }
  });

  test('names that could break out of a subject are refused, and the queue is left alone', async () => {
    await using fn = await startTestFunction();
    const { stack, callIds } = await startWithWaitingCalls(fn);
    await using _ = stack;
    for (const [title, name] of hostileNames) {
      const answer = await rawExchange(stack.gateway.url, rawPost(`/async-function/${name}`)).catch((cause) => {
        throw new Error(`no answer to ${title}`, { cause });
      });
      expect({ title, isRefused: answer.status >= 400 && answer.status < 500 }).toEqual({ title, isRefused: true });
      expectProblem(answer);
    }
    await expectDelivered(stack, fn, callIds);
  });

  test('call ids and callback URLs that could break out are refused, and the queue is left alone', async () => {
    await using fn = await startTestFunction();
    const { stack, callIds } = await startWithWaitingCalls(fn);
    await using _ = stack;
    const headers = [
      ...['*', '>', 'a.b', 'a b', 'a'.repeat(129), '\u00e9', '../x'].map((id) => `X-Call-Id: ${id}`),
      ...['ftp://x/', '/relative', 'http://', 'javascript:alert(1)', 'http://a b/'].map(
        (url) => `X-Callback-Url: ${url}`,
      ),
    ];
    for (const header of headers) {
      const answer = await rawExchange(stack.gateway.url, rawPost('/async-function/echo', [header]));
      expect({ header, status: answer.status }).toEqual({ header, status: 400 });
      expectProblem(answer);
    }
    const taken = await rawExchange(
      stack.gateway.url,
      rawPost('/async-function/echo', [`X-Call-Id: ${callIds[0] ?? ''}`]),
    );
    expect(taken.status).toBe(409);
    await expectDelivered(stack, fn, callIds);
  });

  test('requests that are not HTTP, or smuggle a second one, do not enqueue anything', async () => {
    await using fn = await startTestFunction();
    const { stack, callIds } = await startWithWaitingCalls(fn);
    await using _ = stack;
    const post = 'POST /async-function/echo HTTP/1.1\r\nHost: localhost\r\n';
    const requests = [
      'PUB calls.default.ready.~.echo.x.~.1 5\r\nhello\r\n\r\n',
      `${post}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `${post}Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!`,
      `${post}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
      `${post}X-A: a\0b\r\nContent-Length: 0\r\n\r\n`,
      `${post}X Y: 1\r\nContent-Length: 0\r\n\r\n`,
      `${post}X-A: ${'a'.repeat(20_000)}\r\nContent-Length: 0\r\n\r\n`,
      rawPost(`/async-function/echo?${'q'.repeat(20_000)}`),
    ];
    for (const request of requests) {
      expectProblem(await rawExchange(stack.gateway.url, request));
    }
    await expectDelivered(stack, fn, callIds);
  });
});
