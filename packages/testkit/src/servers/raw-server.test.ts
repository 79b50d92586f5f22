import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { byteByByte, startRawServer, thenClose } from './raw-server.ts';

const post = (body: string, callId = 'a') =>
  `POST /x HTTP/1.1\r\nX-Call-Id: ${callId}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function portOf(url: string): number {
  return Number(new URL(url).port);
}

test('a request is answered with exactly these bytes, and the connection closed after them', async () => {
  await using server = await startRawServer(thenClose('HTTP/9.9 what\xff\n'));
  const socket = connect(portOf(server.url), '127.0.0.1');
  socket.write(post('body'));
  expect(await text(socket.setEncoding('latin1'))).toBe('HTTP/9.9 what\xff\n');
  expect(server.requests).toMatchObject([{ callId: 'a', connection: 1, nth: 1, body: Buffer.from('body') }]);
  expect(server.requests[0]?.head).toBe('POST /x HTTP/1.1\r\nX-Call-Id: a\r\nContent-Length: 4\r\n\r\n');
});

test('a connection that stays open brings further requests, in pieces and together', async () => {
  await using server = await startRawServer('ok');
  const socket = connect(portOf(server.url), '127.0.0.1');
  const [first, second, third] = [post('one'), post('two', 'b'), post('', 'c')];
  socket.write(first.slice(0, 30));
  await once(socket, 'connect');
  socket.write(first.slice(30) + second + third);
  await server.waitForRequests(3);
  expect(server.requests.map(({ callId, nth, connection }) => [callId, nth, connection])).toEqual([
    ['a', 1, 1],
    ['b', 2, 1],
    ['c', 3, 1],
  ]);
  expect([server.connections, server.open]).toEqual([1, 1]);
  socket.destroy();
});

test('a connection learns when it is closed, and may be broken', async () => {
  let closed: AbortSignal | undefined;
  await using server = await startRawServer((connection) => {
    closed = connection.signal;
    connection.reset();
  });
  const socket = connect(portOf(server.url), '127.0.0.1');
  socket.write(post(''));
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNRESET');
  expect(closed?.aborted).toBe(true);
});

test('bytes that come one by one are the same bytes, and idle connections can be closed', async () => {
  await using server = await startRawServer(byteByByte('HTTP/1.1 200 OK\r\n\r\n'));
  const socket = connect(portOf(server.url), '127.0.0.1').setEncoding('latin1');
  socket.write(post(''));
  let received = '';
  for await (const chunk of socket) {
    received += String(chunk);
    if (received.endsWith('\r\n\r\n')) {
      server.closeConnections();
    }
  }
  expect(received).toBe('HTTP/1.1 200 OK\r\n\r\n');
});
