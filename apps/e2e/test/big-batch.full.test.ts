import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Stack } from '@asyncfn/stack';
import { eventually, type RequestHandler, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const size = 5_000;

interface Answer {
  readonly batchId: string;
  readonly accepted: number;
}

interface View {
  readonly total: number;
  readonly open: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly expired: number;
  readonly createdAt: string;
  readonly endedAt?: string;
}

/**
 * Kills the oldest worker and, from time to time, the oldest gateway except the first one, and starts others in their
 * place.
 */
async function killProcesses(stack: Stack, signal: AbortSignal): Promise<number> {
  let killed = 0;
  for (; !signal.aborted; killed++) {
    const started = stack.startWorker();
    const gateway = killed % 3 === 0 ? stack.startGateway() : undefined;
    await delay(200 + Math.random() * 600);
    stack.workers[killed]?.kill('SIGKILL');
    if (gateway !== undefined) {
      stack.gateways[1 + killed / 3]?.kill('SIGKILL');
    }
    await Promise.all([started, gateway]);
  }
  return killed;
}

/** When the call of a line of results has ended: Unix time in milliseconds. */
async function endOf(stack: Stack, row: string): Promise<number> {
  const { callId } = JSON.parse(row) as { callId: string };
  const call = await eventually(async () => {
    const response = await fetch(`${stack.gateway.url}/async-function/${callId}`);
    // A gateway that has just started may refuse it.
    return response.status === 200 ? ((await response.json()) as View) : undefined;
  });
  return Date.parse(call.endedAt ?? '');
}

test('a batch of 5,000 over 3 queues ends once, after its last call, while workers and gateways are killed', {
  timeout: 300_000,
}, async () => {
  const answer: RequestHandler = async ({ body }, response) => {
    await delay(5 + Math.random() * 20);
    response.writeHead(Number(body.toString()) % 10 === 0 ? 400 : 200).end();
  };
  await using fn = await startTestFunction({ handler: answer });
  await using inbox = await startCallbackReceiver();
  await using stack = await startStack({
    functions: {
      one: fn.url,
      two: { url: fn.url, queue: 'second' },
      three: { url: fn.url, queue: 'third' },
    },
    gateways: 2,
    workers: 2,
    workerEnv: { ACK_WAIT: '1s', MAX_INFLIGHT: '50' },
  });
  const names = ['one', 'two', 'three'];
  const lines = Array.from({ length: size }, (_, index) =>
    JSON.stringify({ function: names[index % 3], body: String(index) }),
  );
  const send = async () => {
    const response = await fetch(`${stack.gateway.url}/async-batch`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/x-ndjson', 'Idempotency-Key': key, 'X-Callback-Url': inbox.url },
      body: lines.join('\n'),
    });
    expect(response.status).toBe(202);
    return (await response.json()) as Answer;
  };
  const key = randomUUID();
  const over = new AbortController();
  const killing = killProcesses(stack, over.signal);
  const first = await send();
  expect(first.accepted).toBe(size);
  await eventually(() => inbox.callbacks.length > 0, { timeoutMs: 240_000, message: 'the batch does not end' });
  over.abort();
  expect(await killing).toBeGreaterThan(3);

  const url = `${stack.gateway.url}/async-batch/${first.batchId}`;
  const view = (await (await fetch(url)).json()) as View;
  expect(view).toMatchObject({ total: size, open: 0, failed: size / 10, cancelled: 0, expired: 0 });
  expect(view.succeeded + view.failed).toBe(size);
  const told = inbox.callbacks.map(({ body }) => body.toString());
  expect(new Set(told)).toEqual(new Set([JSON.stringify(view)]));

  const results = await (await fetch(`${url}/results?limit=10000`)).text();
  const rows = results.split('\n').filter((line) => line !== '');
  expect(rows).toHaveLength(size);
  const ends: number[] = [];
  for (let from = 0; from < size; from += 100) {
    ends.push(...(await Promise.all(rows.slice(from, from + 100).map((row) => endOf(stack, row)))));
  }
  const lateMs = Date.parse(view.endedAt ?? '') - Math.max(...ends);
  expect(lateMs).toBeGreaterThanOrEqual(0);
  expect(lateMs).toBeLessThan(30_000);

  expect(await send()).toEqual(first);
  expect(await stack.untilAudited()).toBe(0);
});
