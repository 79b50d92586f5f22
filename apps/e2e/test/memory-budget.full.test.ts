import { ApiClient } from '@asyncfn/stack';
import { eventually, type RequestHandler, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { Records } from './harness/broker/records.ts';
import { watchMemory } from './harness/memory-watch.ts';
import { startStack } from './harness/stack.ts';
import { startSilentReceiver } from './harness/wire/silent-receiver.ts';

const mebibyte = 1024 * 1024;
const budget = 48 * mebibyte;
/** The figures of docs/operations.md: the budget, and the worker's own memory. Without the budget it is 540 MiB. */
const promised = budget + 250 * mebibyte;
const calls = 400;

/** Results of a mebibyte, with their length announced and without. */
const largeResults: RequestHandler = ({ url }, response) => {
  const half = Buffer.alloc(mebibyte / 2, 'x');
  if (url.endsWith('/announced')) {
    response.setHeader('Content-Length', 2 * half.length);
  }
  response.write(half);
  response.end(half);
};

test('large bodies and results for receivers that hang take no more memory than documented', async () => {
  await using fn = await startTestFunction({ handler: largeResults, keepBodies: false });
  await using quick = await startTestFunction();
  await using silent = await startSilentReceiver();
  await using inbox = await startCallbackReceiver();
  await using stack = await startStack({
    functions: { large: fn.url, quick: quick.url },
    workerEnv: { MAX_INFLIGHT_BYTES: `${budget}B`, MAX_RESPONSE_BYTES: '2MiB', OFFLOAD_BYTES: '2MiB' },
  });
  await using records = await Records.open(stack.nats.url);
  await using client = new ApiClient(stack.gateway.url, 32);
  await using neighbour = new ApiClient(stack.gateway.url);
  using memory = watchMemory(stack.worker);
  const body = Buffer.alloc(mebibyte - 1024);
  const accepted = Array.from({ length: calls }, (_, number) => {
    const target = number % 2 === 0 ? '/announced' : '';
    return client.accept('large', { target, body, callbackUrl: silent.url(number) });
  });
  await eventually(() => silent.connections > 5);
  // A small call of another caller does not wait for them.
  const startedAt = performance.now();
  await neighbour.accept('quick', { body: 'small', callbackUrl: inbox.url });
  await inbox.waitForCallbacks(1);
  const tookMs = performance.now() - startedAt;
  await Promise.all(accepted);
  await eventually(() => fn.invocations.length >= calls, { timeoutMs: 180_000 });
  await eventually(async () => (await records.storedCallbacks()) > calls / 2);

  expect(memory.peakBytes).toBeLessThan(promised);
  expect(await stack.worker.metric('queue_worker_inflight_bytes')).toBeLessThan(budget);
  expect(tookMs).toBeLessThan(60_000);
  expect(fn.invocations).toHaveLength(calls);
});
