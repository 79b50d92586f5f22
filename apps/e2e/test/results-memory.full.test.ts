import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ApiClient, CallClient } from '@asyncfn/stack';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { watchMemory } from './harness/memory-watch.ts';
import { startStack } from './harness/stack.ts';

const mebibyte = 1024 * 1024;
const budget = 32 * mebibyte;
/**
 * The figures of docs/operations.md: three times the budget for bodies and for results, and the gateway's own memory.
 */
const promised = 2 * 3 * budget + 350 * mebibyte;
/** The same for a gateway whose callers send and fetch little. */
const promisedForSmall = 200 * mebibyte;
const readers = 200;
const senders = 100;

test('hundreds of slow senders and readers leave others their calls and take no more memory than documented', async () => {
  const result = Buffer.alloc(7 * mebibyte, 'x');
  await using fn = await startTestFunction({ handler: (_, response) => void response.end(result), keepBodies: false });
  await using quick = await startTestFunction();
  await using stack = await startStack({
    functions: { large: fn.url, quick: quick.url },
    gatewayEnv: { MAX_INFLIGHT_BYTES: `${budget}B` },
    // Results beside their outcomes, which a gateway reads whole.
    workerEnv: { OFFLOAD_BYTES: '8MiB' },
  });
  await using client = new ApiClient(stack.gateway.url, 16);
  await using calls = new CallClient(stack.gateway.url, readers);
  const ids = await client.acceptMany('large', 10);
  for (const id of ids) {
    await calls.untilEnded(id);
  }
  using memory = watchMemory(stack.gateway);
  using slow = new SlowClients(stack.gateway.url);
  await slow.send('large', senders);
  await eventually(async () => (await stack.gateway.metric('gateway_inflight_bytes')) > budget / 2);
  await slow.read(ids, readers);
  const states = Array.from({ length: readers }, (_, index) => calls.ask(ids[index % ids.length] ?? ''));
  for (let made = 0; made < 20; made += 1) {
    expect((await client.call('quick')).status).toBe(202);
  }
  // As many at once as the broker may send; of the others, those that wait too long are refused.
  expect([200, 503]).toEqual(expect.arrayContaining((await Promise.all(states)).map(({ status }) => status)));
  await quick.waitForInvocations(20);
  const sending = await stack.gateway.metric('gateway_result_bytes');
  expect(sending).toBeGreaterThan(0);
  expect(sending).toBeLessThanOrEqual(budget);
  expect(memory.peakBytes).toBeLessThan(promised);

  // A client that reads gets its result, at the cost of clients that do not.
  await eventually(async () => (await calls.result(ids[0] ?? '').catch(() => undefined))?.status === 200, {
    message: 'slow readers keep others out',
  });
  expect(memory.peakBytes).toBeLessThan(promised);
});

test('a gateway whose callers send and fetch little takes no more memory than documented', async () => {
  await using quick = await startTestFunction();
  await using stack = await startStack({ functions: { quick: quick.url } });
  await using client = new ApiClient(stack.gateway.url, 16);
  await using calls = new CallClient(stack.gateway.url, 16);
  using memory = watchMemory(stack.gateway);
  const ids = await client.acceptMany('quick', 5_000);
  await quick.waitForInvocations(ids.length);
  for (const id of ids.slice(0, 500)) {
    await calls.untilEnded(id);
    expect((await calls.result(id)).status).toBe(200);
  }
  process.stdout.write(`5,000 small calls: ${Math.round(memory.peakBytes / mebibyte)} MiB\n`);
  expect(memory.peakBytes).toBeGreaterThan(0);
  expect(memory.peakBytes).toBeLessThan(promisedForSmall);
});

/** Clients that send bodies and do not end them, or request results and read nothing. */
class SlowClients implements Disposable {
  readonly #port: number;
  readonly #sockets: Socket[] = [];

  constructor(gatewayUrl: string) {
    this.#port = Number(new URL(gatewayUrl).port);
  }

  /** All but the last byte. */
  async send(name: string, count: number): Promise<void> {
    const body = Buffer.alloc(mebibyte - 1, 'x');
    for (let index = 0; index < count; index += 1) {
      const socket = await this.#open();
      const head = [`POST /async-function/${name} HTTP/1.1`, 'Host: localhost', `Content-Length: ${mebibyte}`];
      socket.write(`${head.join('\r\n')}\r\n\r\n`);
      socket.write(body);
    }
  }

  async read(ids: readonly string[], count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const socket = await this.#open();
      socket.pause();
      socket.write(`GET /async-function/${ids[index % ids.length]}/result HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    }
  }

  async #open(): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: this.#port }).on('error', () => undefined);
    await once(socket, 'connect');
    this.#sockets.push(socket);
    return socket;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }
}
