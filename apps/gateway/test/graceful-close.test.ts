import type { Socket } from 'node:net';
import { eventually } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { post, RawClient } from './raw-client.ts';

/** Makes the queue wait, and counts the calls that wait. */
function holdQueue(gateway: TestGateway) {
  let waiting = 0;
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  gateway.queue.answer = async () => {
    waiting += 1;
    await released;
    return { kind: 'stored', sequence: 1, duplicate: false };
  };
  return { release: () => release(), waiting: () => waiting };
}

const nextConnection = ({ app }: TestGateway) =>
  new Promise<Socket>((resolve) => app.server.once('connection', resolve));

const connectionsOf = ({ app }: TestGateway) =>
  new Promise<number>((resolve) => app.server.getConnections((_, count) => resolve(count)));

describe('a close', () => {
  test('waits for calls in flight, and their answers say that the connection closes', async () => {
    await using gateway = await startTestGateway();
    const held = holdQueue(gateway);
    const clients = await Promise.all(Array.from({ length: 20 }, () => RawClient.connect(gateway.port)));
    for (const client of clients) {
      client.send(post('/async-function/echo'));
    }
    await eventually(() => held.waiting() === 20);
    const closed = gateway.app.close();
    await expect(RawClient.connect(gateway.port)).rejects.toThrow(/ECONNREFUSED|ECONNRESET/);
    held.release();
    for (const client of clients) {
      expect(await client.closed()).toMatch(/^HTTP\/1.1 202 .*^connection: close\r$/ims);
    }
    await closed;
    expect(gateway.queue.accepted).toHaveLength(20);
  });

  test.each([
    ['its headers', 'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-', 'Length: 5\r\n\r\nhello'],
    ['its body', 'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 5\r\n\r\nhel', 'lo'],
  ])('serves a request of which only a part of %s has come', async (_, before, after) => {
    await using gateway = await startTestGateway();
    const connected = nextConnection(gateway);
    await using client = await RawClient.connect(gateway.port);
    client.send(before);
    const socket = await connected;
    await eventually(() => socket.bytesRead === before.length);
    const closed = gateway.app.close();
    await eventually(() => !gateway.app.server.listening);
    client.send(after);
    expect(await client.closed()).toMatch(/^HTTP\/1.1 202 .*^connection: close\r$/ims);
    await closed;
    expect(Buffer.from(gateway.queue.last.body).toString()).toBe('hello');
  });

  test('serves a request that was on its way on a connection kept alive', async () => {
    await using gateway = await startTestGateway();
    await using client = await RawClient.connect(gateway.port);
    client.send(post('/async-function/echo'));
    await client.answer();
    const closed = gateway.app.close();
    await eventually(() => !gateway.app.server.listening);
    client.send(post('/async-function/echo'));
    expect((await client.closed()).match(/HTTP\/1.1 202 /g)).toHaveLength(2);
    await closed;
    expect(gateway.queue.accepted).toHaveLength(2);
  });

  test('does not wait for connections that are idle, or were never used', async () => {
    await using gateway = await startTestGateway();
    await using used = await RawClient.connect(gateway.port);
    used.send(post('/async-function/echo'));
    await used.answer();
    await using unused = await RawClient.connect(gateway.port);
    await eventually(async () => (await connectionsOf(gateway)) === 2);
    const began = performance.now();
    await gateway.app.close();
    expect(performance.now() - began).toBeLessThan(30_000);
    await Promise.all([used.closed(), unused.closed()]);
  });
});
