import { ApiClient, type AppProcess, startLoad } from '@asyncfn/stack';
import { eventually, gate, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const waiting = 100_000;
const slots = 10;
const mebibyte = 1024 * 1024;
/** Less than the bodies alone would take. */
const mostGrowth = 96 * mebibyte;

test('a worker has no more memory in use while 100,000 calls wait than when none does', async () => {
  const busy = gate();
  await using fn = await startTestFunction({ handler: busy.handler, keepBodies: false });
  await using stack = await startStack({
    functions: { slow: fn.url },
    workerEnv: { MAX_INFLIGHT: String(slots) },
  });
  const atRest = await residentBytes(stack.worker);
  await using client = new ApiClient(stack.gateway.url, 64);
  const load = startLoad(client, 'slow', 128, { body: Buffer.alloc(1024) });
  await eventually(() => load.accepted.length >= waiting, { timeoutMs: 90_000, intervalMs: 100 });
  await load.stop();
  expect(load.refused).toEqual([]);
  // The broker counts a call as waiting until a worker has taken it (P4).
  expect(await stack.worker.metric('queue_worker_pending_messages')).toBe(load.accepted.length - slots);
  expect(await residentBytes(stack.worker)).toBeLessThan(atRest + mostGrowth);
  expect(fn.invocations).toHaveLength(slots);

  // Nor while it works through them.
  busy.open();
  await fn.waitForInvocations(5_000);
  expect(await residentBytes(stack.worker)).toBeLessThan(atRest + mostGrowth);
  expect(fn.maxInFlight).toBe(slots);
});

async function residentBytes(app: AppProcess): Promise<number> {
  return await app.metric('process_resident_memory_bytes');
}
