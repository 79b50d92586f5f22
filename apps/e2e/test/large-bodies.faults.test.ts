import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ApiClient, CallClient } from '@asyncfn/stack';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { openBodyStore } from './harness/broker/body-store.ts';
import { startStack } from './harness/stack.ts';
import { listen } from './harness/wire/listen.ts';

const large = randomBytes(2_500_001);
const gatewayEnv = { MAX_BODY_BYTES: '64MiB', OFFLOAD_BYTES: '100KiB', BODY_STORE_MAX_BYTES: '4MiB' };
// Longer than a machine stands still: a worker that does so for longer loses its calls and its uploads, rightly.
const workerEnv = { BODY_SWEEP_AFTER: '16s', ACK_WAIT: '4s' };

/** A function that takes the beginning of its first request and no more, and the digest of each further one. */
async function startStalling() {
  const digests: string[] = [];
  const lengths: (string | undefined)[] = [];
  let begun = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    begun += 1;
    lengths.push(request.headers['content-length']);
    if (begun === 1) {
      request.once('data', () => request.pause());
      return;
    }
    const hash = createHash('sha256');
    for await (const piece of request) {
      hash.update(piece as Buffer);
    }
    digests.push(hash.digest('hex'));
    response.end();
  };
  const server = createServer((request, response) => void serve(request, response).catch(() => undefined));
  const listening = await listen(server);
  return {
    ...listening,
    digests,
    lengths,
    begun: () => begun,
  };
}

test('a worker that is killed while it sends a large body leaves the attempt to another one, with the same bytes', async () => {
  await using fn = await startStalling();
  await using stack = await startStack({ functions: { fn: fn.url }, gatewayEnv, workerEnv });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  await using store = await openBodyStore(stack.nats.url);
  const callId = await client.accept('fn', { body: large });
  await eventually(() => fn.begun() > 0);
  await stack.startWorker();
  stack.worker.kill('SIGKILL');
  await calls.until(callId, 'succeeded');
  // One further attempt, and more if the machine has stood still for longer than the lease.
  expect(new Set(fn.digests)).toEqual(new Set([createHash('sha256').update(large).digest('hex')]));
  expect(new Set(fn.lengths)).toEqual(new Set([String(large.length)]));
  expect(fn.begun()).toBeGreaterThanOrEqual(2);
  await stack.untilSettled();
  await eventually(async () => (await store.messages()) === 0);
  expect(await stack.untilAudited()).toBe(0);
});

test('a worker that is killed while it reads a large response leaves the attempt to another one, and nothing else', async () => {
  const response = randomBytes(1_000_001);
  let begun = 0;
  await using fn = await startTestFunction({
    handler: (_, answer) => {
      begun += 1;
      if (begun === 1) {
        answer.writeHead(200, { 'Content-Length': response.length });
        answer.write(response.subarray(0, 600_000)); // and no more
      } else {
        answer.end(response);
      }
    },
  });
  await using stack = await startStack({
    functions: { fn: fn.url },
    workerEnv: { ...workerEnv, OFFLOAD_BYTES: '100KiB' },
  });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  await using store = await openBodyStore(stack.nats.url);
  const callId = await client.accept('fn');
  // A record, and chunks.
  await eventually(async () => (await store.messages()) > 2);
  await stack.startWorker();
  stack.worker.kill('SIGKILL');
  await calls.until(callId, 'succeeded');
  expect((await calls.result(callId)).body.equals(response)).toBe(true);
  expect(begun).toBeGreaterThanOrEqual(2);
  // What the first has stored is swept up: the second response is a record and eight chunks.
  await eventually(async () => (await store.messages()) === 9);
  expect(await stack.untilAudited()).toBe(0);
});

test('a gateway that is killed during an upload leaves no call, and a worker removes what it has stored', async () => {
  await using fn = await startTestFunction();
  await using stack = await startStack({ functions: { fn: fn.url }, gatewayEnv, workerEnv });
  await using store = await openBodyStore(stack.nats.url);
  const pieces = async function* (): AsyncGenerator<Buffer> {
    yield large;
    await eventually(async () => (await store.messages()) > 2);
    stack.gateway.kill('SIGKILL');
    await new Promise(() => undefined);
  };
  const url = `${stack.gateway.url}/async-function/fn`;
  const sent = fetch(url, { method: 'POST', body: ReadableStream.from(pieces()), duplex: 'half' });
  await expect(sent).rejects.toThrow();
  await eventually(async () => (await store.messages()) === 0);
  expect(await stack.queued()).toBe(0);
  expect(fn.invocations).toHaveLength(0);
});

test('a store that is full refuses before the body is read, a longer body than announced as well, and takes the next', async () => {
  await using fn = await startTestFunction({ handler: (_, response) => void response.end() });
  await using stack = await startStack({ functions: { fn: fn.url }, gatewayEnv, workerEnv });
  await using client = new ApiClient(stack.gateway.url);
  await using calls = new CallClient(stack.gateway.url);
  await using store = await openBodyStore(stack.nats.url);
  const functions = `${stack.gateway.url}/system/functions/fn`;
  expect((await fetch(`${functions}/pause`, { method: 'POST' })).ok).toBe(true);
  const callId = await client.accept('fn', { body: large });
  const refused = await client.call('fn', { body: large });
  expect(refused).toMatchObject({ status: 503, code: 'queue_full', headers: { 'retry-after': '10' } });
  const pieces = async function* (): AsyncGenerator<Buffer> {
    yield large;
  };
  const url = `${stack.gateway.url}/async-function/fn`;
  const unannounced = await fetch(url, { method: 'POST', body: ReadableStream.from(pieces()), duplex: 'half' });
  expect(unannounced.status).toBe(503);
  // Small calls do not need the store.
  expect((await client.call('fn', { body: 'small' })).status).toBe(202);
  await eventually(async () => (await stack.gateway.metric('gateway_body_store_bytes')) > large.length);
  expect(await stack.gateway.metric('gateway_body_store_limit_bytes')).toBe(4 * 1024 * 1024);
  expect((await fetch(`${functions}/resume`, { method: 'POST' })).ok).toBe(true);
  await calls.until(callId, 'succeeded');
  await eventually(async () => (await store.messages()) === 0);
  await eventually(async () => (await client.call('fn', { body: large })).status === 202);
});
