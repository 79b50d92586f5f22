import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { startTestFunction } from '../functions/test-function.ts';
import { quickest } from '../quickest.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

async function setup() {
  const stack = new AsyncDisposableStackShim();
  const fn = stack.use(await startTestFunction());
  const proxy = stack.use(await startTcpProxy({ port: fn.port }));
  const post = async (body: string | Buffer) =>
    await (await fetch(`http://127.0.0.1:${proxy.port}`, { method: 'POST', body })).arrayBuffer();
  return { proxy, fn, post, [Symbol.asyncDispose]: () => stack.disposeAll() };
}

/** Closes in the reverse order of opening; Node 20 has no AsyncDisposableStack yet. */
class AsyncDisposableStackShim {
  readonly #resources: AsyncDisposable[] = [];

  use<T extends AsyncDisposable>(resource: T): T {
    this.#resources.unshift(resource);
    return resource;
  }

  async disposeAll(): Promise<void> {
    for (const resource of this.#resources) {
      await resource[Symbol.asyncDispose]();
    }
  }
}

async function open(proxy: TcpProxy): Promise<Socket> {
  const socket = connect(proxy.port, proxy.host);
  socket.on('error', () => {});
  await once(socket, 'connect');
  return socket;
}

/** `once()` would reject with the reset that is expected here. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) {
      resolve();
    } else {
      socket.once('close', () => resolve());
    }
  });
}

test('bytes pass unchanged in both directions', async () => {
  await using line = await setup();
  const body = randomBytes(5_000_000);
  expect(Buffer.from(await line.post(body)).equals(body)).toBe(true);
});

test('a cut connection resets open connections and each new one, a healed one works again', async () => {
  await using line = await setup();
  const socket = await open(line.proxy);
  await eventually(() => line.proxy.connections === 1);
  line.proxy.cut();
  await closed(socket);
  await expect(line.post('x')).rejects.toThrow('fetch failed');
  line.proxy.heal();
  expect(Buffer.from(await line.post('back')).toString()).toBe('back');
});

test('a stalled connection stays open and delivers nothing until it is healed', async () => {
  await using line = await setup();
  const socket = await open(line.proxy);
  line.proxy.stall();
  line.proxy.stall();
  socket.end('POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\nhi');
  await expect(line.fn.waitForInvocations(1, 100)).rejects.toThrow('0 came');
  expect(socket.destroyed).toBe(false);
  line.proxy.heal();
  expect(await text(socket)).toMatch(/^HTTP\/1.1 200 .*hi$/s);
});

test('a delayed connection adds its latency in each direction, not once per chunk', async () => {
  await using line = await setup();
  line.proxy.delay(150);
  const tookMs = await quickest(() => line.post(randomBytes(2_000_000)));
  expect(tookMs).toBeGreaterThanOrEqual(299);
  expect(tookMs).toBeLessThan(1_500);
});

test('a server that does not exist ends the client', async () => {
  const fn = await startTestFunction();
  await using proxy = await startTcpProxy({ port: fn.port });
  await fn.close();
  const socket = await open(proxy);
  await closed(socket);
  await eventually(() => proxy.connections === 0);
});

test('close ends open connections and may be called twice', async () => {
  const line = await setup();
  const socket = await open(line.proxy);
  await line[Symbol.asyncDispose]();
  await closed(socket);
  await line.proxy.close();
});
