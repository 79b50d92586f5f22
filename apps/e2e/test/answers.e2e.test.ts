import { ApiClient } from '@asyncfn/stack';
import { type RawAnswer, startCallbackReceiver, startRawServer } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const empty = 'Content-Length: 0\r\n\r\n';

/** The answers, by the sub-path of a call. */
const answers: Record<string, string> = {
  '/continue': `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n${empty}`,
  '/large': `HTTP/1.1 200 OK\r\nX-Large: ${'x'.repeat(20_000)}\r\n${empty}`,
  '/larger': `HTTP/1.1 200 OK\r\nX-Large: ${'x'.repeat(40_000)}\r\n${empty}`,
  '/greeting': '220 ready\r\n',
  '/moved': `HTTP/1.1 301 Moved Permanently\r\nLocation: http://u:s3cr3t@127.0.0.1/moved/?s3cr3t\r\n${empty}`,
};

test('the answer of a function decides the state of its call and the content of its callback', async () => {
  const answer: RawAnswer = (connection, { head }) => {
    connection.write(answers[head.split(' ')[1] ?? ''] ?? `HTTP/1.1 404 Not Found\r\n${empty}`);
  };
  await using fn = await startRawServer(answer);
  await using inbox = await startCallbackReceiver();
  await using stack = await startStack({
    functions: { odd: fn.url },
    workerEnv: { MAX_RESPONSE_HEADER_BYTES: '32KiB' },
  });
  await using client = new ApiClient(stack.gateway.url);
  const request = { headers: { 'X-Max-Retries': '0' }, callbackUrl: inbox.url };
  const ends: Record<string, unknown> = {};
  for (const path of Object.keys(answers)) {
    const callId = await client.accept('odd', { ...request, target: path });
    const state = await fetch(`${stack.gateway.url}/async-function/${callId}?wait=30s`);
    const { status, functionStatus, attempts, reason, redirectedTo } = (await state.json()) as Record<string, unknown>;
    await inbox.waitForCallbacks(Object.keys(ends).length + 1);
    const told = inbox.byCallId(callId)[0]?.headers['x-function-status'];
    ends[path] = { status, functionStatus, attempts, reason, redirectedTo, told };
  }
  expect(ends).toMatchObject({
    '/continue': { status: 'succeeded', functionStatus: 200, attempts: 1, told: '200' },
    '/large': { status: 'succeeded', functionStatus: 200, attempts: 1, told: '200' },
    '/larger': { status: 'failed', reason: 'response_too_large', functionStatus: 502, attempts: 1, told: '502' },
    '/greeting': { status: 'failed', reason: 'retries_exhausted', functionStatus: 502, attempts: 1, told: '502' },
    '/moved': { status: 'succeeded', functionStatus: 301, redirectedTo: 'http://127.0.0.1/moved/', told: '301' },
  });
  expect(fn.requests).toHaveLength(Object.keys(answers).length);
});
