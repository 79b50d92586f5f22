import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { RawConnection, toRequest } from './raw-connection.ts';

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

test('a connection sends one request after the other and reads every answer to its end', async () => {
  const bodies: number[] = [];
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    request.on('end', () => {
      bodies.push(bytes);
      // In pieces, so that an answer is more than one chunk.
      response.writeHead(bodies.length === 2 ? 503 : 202, { 'Content-Length': 4 }).write('ab');
      setTimeout(() => response.end('cd'), 5);
    });
  });
  const port = await listen(server);
  const statuses: number[] = [];
  const connection = new RawConnection(
    port,
    () => toRequest({ path: '/a', bodyBytes: 300 }),
    (status, tookMs) => {
      statuses.push(status);
      expect(tookMs).toBeGreaterThan(3);
      if (statuses.length === 3) {
        connection.stop();
      }
    },
  );
  await connection.ended;
  expect(statuses).toEqual([202, 503, 202]);
  expect(bodies).toEqual([300, 300, 300]);
  server.close();
});

test('a connection that the server closes early is an error', async () => {
  const server = createServer((request) => request.socket.destroy());
  const port = await listen(server);
  const connection = new RawConnection(
    port,
    () => toRequest({ path: '/', bodyBytes: 0 }),
    () => undefined,
  );
  await expect(connection.ended).rejects.toThrow('hung up');
  server.close();
});

test('a request has the headers it was given', () => {
  const text = toRequest({ path: '/async-function/echo', bodyBytes: 3, headers: { 'X-Call-Id': 'a' } }).toString();
  expect(text).toMatch(/^POST \/async-function\/echo HTTP\/1\.1\r\n/);
  expect(text).toContain('\r\nContent-Length: 3\r\nX-Call-Id: a\r\n\r\nxxx');
});
