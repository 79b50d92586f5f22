import { createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient, type Stack } from '@asyncfn/stack';
import { eventually, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { watchMemory } from './harness/memory-watch.ts';
import { startStack } from './harness/stack.ts';

const mebibyte = 1024 * 1024;
const budget = 32 * mebibyte;
/** docs/security.md: each body up to three times, and what connections hold. */
const promised = 3 * budget + 96 * mebibyte;

let folder: string;
let target: TestFunction;
let stack: Stack;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'webhooks-'));
  await writeFile(join(folder, 'secret'), 'secret');
  target = await startTestFunction();
  const webhook = { verify: 'github', secretFiles: [join(folder, 'secret')] };
  stack = await startStack({
    functions: { github: { url: target.url, webhook } },
    gatewayEnv: { MAX_INFLIGHT_BYTES: `${budget}B` },
  });
});

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function post(name: string, body: Buffer, signature: string): Promise<number> {
  const headers = { 'X-Hub-Signature-256': `sha256=${signature}` };
  const answer = await fetch(`${stack.gateway.url}/webhook/${name}`, { method: 'POST', headers, body });
  await answer.arrayBuffer();
  return answer.status;
}

test('1,000 bodies of 1 MiB that nobody has signed take bounded memory, make no call and stop no caller', async () => {
  const base = await stack.gateway.metric('process_resident_memory_bytes');
  using memory = watchMemory(stack.gateway);
  await using client = new ApiClient(stack.gateway.url);
  const body = Buffer.alloc(mebibyte, 'x');
  const statuses = new Map<number, number>();
  let left = 1_000;
  const stranger = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const status = await post(left % 2 === 0 ? 'github' : 'unknown', body, '00'.repeat(32));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  };
  const flood = Promise.all(Array.from({ length: 100 }, stranger));
  const calls = await client.acceptMany('github', 20);
  await flood;
  expect([...statuses.keys()].filter((status) => status !== 401 && status !== 503)).toEqual([]);
  expect(statuses.get(401)).toBeGreaterThan(0);
  expect(memory.peakBytes - base).toBeLessThan(promised);

  const signed = createHmac('sha256', 'secret').update(body).digest('hex');
  expect(await post('github', body, signed)).toBe(200);
  await target.waitForInvocations(calls.length + 1);
  await eventually(async () => (await stack.gateway.metric('gateway_inflight_bytes')) === 0);
  expect(target.invocations).toHaveLength(calls.length + 1);
});
