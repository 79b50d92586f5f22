import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { afterAll, expect, test } from 'vitest';
import { exchange, type HttpOutcome, type StreamedBody } from './exchange.ts';
import { HttpAgent } from './http-agent.ts';

const agent = new HttpAgent({ maxHeaderBytes: 4_096 });
afterAll(() => agent.destroy());

const piece = Buffer.alloc(64 * 1024, 'x');

function post(origin: string, body: StreamedBody): Promise<HttpOutcome> {
  return exchange(agent, { origin, path: '/', headers: [], body, timeoutMs: 0, maxResponseBytes: 1_000 });
}

test('arrives with its length, byte for byte', async () => {
  await using fn = await startTestFunction({ handler: (_, response) => void response.end('ok') });
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('be');
    yield piece;
    yield Buffer.from('end');
  };
  const outcome = await post(fn.url, { length: piece.length + 5, open });
  expect(outcome).toMatchObject({ kind: 'answer', status: 200 });
  expect(fn.invocations[0]?.headers).toMatchObject({ 'content-length': String(piece.length + 5) });
  expect(fn.invocations[0]?.headers).not.toHaveProperty('transfer-encoding');
  expect(fn.invocations[0]?.body.toString()).toBe(`be${piece.toString()}end`);
});

test('that cannot be read to its end is an outcome of its own, and the server does not get it as a whole', async () => {
  await using fn = await startTestFunction();
  const open = async function* (): AsyncGenerator<Uint8Array> {
    yield piece;
    throw Object.assign(new Error('a chunk is gone'), { code: 'body_missing' });
  };
  // A connection that is used again, since such a request may be sent twice for other reasons.
  await post(fn.url, { length: 0, open: async function* () {} });
  const outcome = await post(fn.url, { length: 2 * piece.length, open });
  expect(outcome).toMatchObject({ kind: 'body_failed', code: 'body_missing' });
  expect(outcome).not.toHaveProperty('resent');
  await eventually(() => fn.invocations.at(-1)?.aborted === true);
});

test('is read no faster than the server takes it, and no further once the server has answered', async () => {
  let paused: Socket | undefined;
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.pause();
    paused = socket;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  let read = 0;
  let isClosed = false;
  const total = 4_000;
  const open = async function* (): AsyncGenerator<Uint8Array> {
    try {
      for (; read < total; read++) {
        yield piece;
      }
    } finally {
      isClosed = true;
    }
  };
  const answered = post(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, {
    length: total * piece.length,
    open,
  });
  let before = -1;
  // What the system buffers is full when nothing more is read for a while.
  await eventually(
    () => {
      const stands = read > 0 && read === before;
      before = read;
      return stands;
    },
    { intervalMs: 300 },
  );
  expect(read).toBeLessThan(total / 2);
  paused?.write('HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  expect(await answered).toMatchObject({ kind: 'answer', status: 413 });
  await eventually(() => isClosed);
  paused?.destroy();
  server.close();
});
