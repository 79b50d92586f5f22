import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiClient, type AppProcess } from '@asyncfn/stack';
import { eventually, SlowClients } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const mebibyte = 1024 * 1024;
const functions = { echo: 'http://127.0.0.1:9' };
/** Far more than a healthy gateway needs for one call, and far less than anyone would wait for a stuck one. */
const soonMs = 30_000;

/** Tries until the call is accepted, with the waits of `Retry-After`; returns how long that took. */
async function insist(client: ApiClient, body: Buffer): Promise<number> {
  const startedAt = performance.now();
  for (;;) {
    const { status, headers, text } = await client.call('echo', { body });
    if (status === 202) {
      return performance.now() - startedAt;
    }
    const retryAfterSeconds = Number(headers['retry-after']);
    if (status !== 503 || !(retryAfterSeconds > 0)) {
      throw new Error(`answered ${status}: ${text}`);
    }
    await sleep(retryAfterSeconds * 1000);
  }
}

/** The most memory that a process has ever had, in bytes; the current amount if the system does not tell. */
async function peakBytes(app: AppProcess): Promise<number> {
  const status = await readFile(`/proc/${app.pid}/status`, 'utf8').catch(() => '');
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kibibytes === undefined ? await app.metric('process_resident_memory_bytes') : Number(kibibytes) * 1024;
}

test('500 clients that dribble headers and bodies keep the others out for no longer than bodies may be slow', async () => {
  await using stack = await startStack({ functions, workers: 0, gatewayEnv: { MAX_INFLIGHT_BYTES: '16MiB' } });
  await using client = new ApiClient(stack.gateway.url, 20);
  const port = Number(new URL(stack.gateway.url).port);
  await using dribbling = new SlowClients(port);
  const head = 'POST /async-function/echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 500000\r\n\r\n';
  await dribbling.open(300, (n) => ({ text: `POST /async-function/echo HTTP/1.1\r\nX-${n}: `, dribble: 'x' }));
  await dribbling.open(200, () => ({ text: head, dribble: 'x' }));
  // They have announced more than the gateway holds.
  await eventually(() => dribbling.answers('503 ').length > 100);
  const { tookMs, status } = await client.call('echo', { body: 'small' });
  expect([status, tookMs < soonMs]).toEqual([202, true]);

  const waits = await Promise.all(Array.from({ length: 100 }, () => insist(client, Buffer.alloc(300_000))));
  expect(Math.max(...waits)).toBeLessThan(2 * soonMs);
  expect(dribbling.answers('408 ').length).toBeGreaterThan(0);
});

test('10,000 idle connections cost some memory, and delay no other client', async () => {
  await using stack = await startStack({ functions, workers: 0 });
  await using client = new ApiClient(stack.gateway.url, 20);
  const port = Number(new URL(stack.gateway.url).port);
  const before = await peakBytes(stack.gateway);
  await using idle = new SlowClients(port);
  await idle.open(5_000, () => ({ text: '', dribble: '' }));
  await idle.open(5_000, () => ({ text: 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n', dribble: '' }));
  await eventually(() => idle.answers('200 ').length === 5_000);

  const answers = await Promise.all(Array.from({ length: 500 }, () => client.call('echo', { body: 'hello' })));
  expect(answers.filter(({ status }) => status !== 202)).toEqual([]);
  expect(Math.max(...answers.map(({ tookMs }) => tookMs))).toBeLessThan(soonMs);
  const grown = (await peakBytes(stack.gateway)) - before;
  process.stdout.write(`10,000 idle connections: ${Math.round(grown / mebibyte)} MiB\n`);
  expect(idle.openConnections).toBe(10_000);
  expect(grown).toBeLessThan(250 * mebibyte);
});

test('200 clients that send 1 MiB at once are all served, the others in the meantime, in bounded memory', async () => {
  const inflight = 32 * mebibyte;
  await using stack = await startStack({
    functions,
    workers: 0,
    gatewayEnv: { MAX_INFLIGHT_BYTES: '32MiB' },
  });
  await using large = new ApiClient(stack.gateway.url, 200);
  await using small = new ApiClient(stack.gateway.url, 4);
  await insist(small, Buffer.from('warm'));
  const before = await peakBytes(stack.gateway);
  const body = Buffer.alloc(mebibyte, 'x');
  let isOver = false;
  const healthy: number[] = [];
  const others = (async () => {
    while (!isOver) {
      healthy.push(await insist(small, Buffer.from('hello')));
    }
  })();
  await Promise.all(Array.from({ length: 200 }, () => insist(large, body)));
  isOver = true;
  await others;

  expect(Math.max(...healthy)).toBeLessThan(soonMs);
  expect(healthy.length).toBeGreaterThan(0);
  expect(await stack.queued()).toBe(200 + healthy.length + 1);
  const grown = (await peakBytes(stack.gateway)) - before;
  process.stdout.write(
    `200 bodies of 1 MiB: ${Math.round(grown / mebibyte)} MiB, ${healthy.length} calls meanwhile, the slowest in ${Math.round(Math.max(...healthy))} ms\n`,
  );
  // Beside the bodies, the young generation of V8, which is small at first and grows to 48 MiB under load.
  expect(grown).toBeLessThan(3 * inflight + (64 + 48) * mebibyte);
});
