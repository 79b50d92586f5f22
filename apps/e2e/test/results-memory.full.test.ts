import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ApiClient, CallClient } from '@asyncfn/stack';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { watchMemory } from './harness/memory-watch.ts';
import { startStack } from './harness/stack.ts';

const mebibyte = 1024 * 1024;
const budget = 32 * mebibyte;
/** As docs/operations.md has it: three times the budget for results, and what a gateway takes for itself. */
const promised = 3 * budget + 350 * mebibyte;
const readers = 200;

test('hundreds of clients that read large results slowly, or ask for their states, leave others their calls and take no more memory than is documented', async () => {
  const result = Buffer.alloc(7 * mebibyte, 'x');
  await using fn = await startTestFunction({ handler: (_, response) => void response.end(result), keepBodies: false });
  await using quick = await startTestFunction();
  await using stack = await startStack({
    functions: { large: fn.url, quick: quick.url },
    gatewayEnv: { MAX_INFLIGHT_BYTES: `${budget}B` },
  });
  await using client = new ApiClient(stack.gateway.url, 16);
  await using calls = new CallClient(stack.gateway.url, readers);
  const ids = await client.acceptMany('large', 10);
  for (const id of ids) {
    await calls.untilEnded(id);
  }
  using memory = watchMemory(stack.gateway);
  using slow = new SlowReaders(stack.gateway.url);
  await slow.open(ids, readers);
  const states = Array.from({ length: readers }, (_, index) => calls.ask(ids[index % ids.length] ?? ''));
  for (let made = 0; made < 20; made += 1) {
    expect((await client.call('quick')).status).toBe(202);
  }
  // As many at once as the broker may send; of the others those are refused that wait too long.
  expect([200, 503]).toEqual(expect.arrayContaining((await Promise.all(states)).map(({ status }) => status)));
  await quick.waitForInvocations(20);
  const sending = await stack.gateway.metric('gateway_result_bytes');
  expect(sending).toBeGreaterThan(0);
  expect(sending).toBeLessThanOrEqual(budget);
  expect(memory.peakBytes).toBeLessThan(promised);

  // A client that reads has its result, at the cost of those that do not.
  await eventually(async () => (await calls.result(ids[0] ?? '').catch(() => undefined))?.status === 200, {
    timeoutMs: 60_000,
    message: 'slow readers keep others out',
  });
  expect(memory.peakBytes).toBeLessThan(promised);
});

/** Clients that ask for results and read nothing. */
class SlowReaders implements Disposable {
  readonly #port: number;
  readonly #sockets: Socket[] = [];

  constructor(gatewayUrl: string) {
    this.#port = Number(new URL(gatewayUrl).port);
  }

  async open(ids: readonly string[], count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const socket = connect({ host: '127.0.0.1', port: this.#port }).on('error', () => undefined);
      await once(socket, 'connect');
      socket.pause();
      socket.write(`GET /async-function/${ids[index % ids.length]}/result HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      this.#sockets.push(socket);
    }
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }
}
