import { eventually } from '@asyncfn/testkit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { activeCall, endedCall } from './call-fixture.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { post, RawClient } from './raw-client.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
  gateway.calls.states.set('call-1', activeCall('call-1', 'queued'));
});

afterEach(() => gateway[Symbol.asyncDispose]());

/** Sends everything, and closes its half of the connection. */
async function sendAll(text: string): Promise<RawClient> {
  const client = await RawClient.connect(gateway.port);
  client.socket.end(text, 'latin1');
  return client;
}

function get(target: string, version = 'HTTP/1.1', headers = ''): string {
  return `GET ${target} ${version}\r\nHost: g\r\n${headers}\r\n`;
}

function statusesOf(received: string): string[] | null {
  return received.match(/HTTP\/1\.1 \d+/g);
}

function bodyOf(received: string): unknown {
  expect(received).not.toMatch(/^transfer-encoding/im);
  return JSON.parse(received.slice(received.indexOf('\r\n\r\n') + 4));
}

describe('a client that closes its half of the connection after its request', () => {
  test('has its calls accepted and answered in their order, and then the connection closed', async () => {
    const body = 'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 5\r\n\r\nhello';
    await using client = await sendAll(`${body}${post('/async-function/unknown')}${body}`);
    expect(statusesOf(await client.closed())).toEqual(['HTTP/1.1 202', 'HTTP/1.1 404', 'HTTP/1.1 202']);
    expect(gateway.queue.accepted).toHaveLength(2);
  });

  test('is answered even if the queue takes a while', async () => {
    let store = (): void => undefined;
    const stored = new Promise<void>((resolve) => {
      store = resolve;
    });
    gateway.queue.answer = async () => {
      await stored;
      return { kind: 'stored', sequence: 1, duplicate: false };
    };
    let ended = false;
    gateway.app.server.on('connection', (socket) => socket.once('end', () => (ended = true)));
    await using client = await sendAll(post('/async-function/echo'));
    await eventually(() => ended);
    store();
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 202 /);
  });

  test.each(['HTTP/1.1', 'HTTP/1.0'])('gets the state of a call in %s', async (version) => {
    await using client = await sendAll(get('/healthz', version) + get('/async-function/call-1', version));
    const received = await client.closed();
    expect(statusesOf(received)?.[0]).toBe('HTTP/1.1 200');
  });

  test.each(['HTTP/1.1', 'HTTP/1.0'])('and waits (%s) is answered when the call ends', async (version) => {
    await using client = await sendAll(get('/async-function/call-1?wait=1m', version));
    await eventually(() => gateway.watches.count === 1);
    gateway.calls.states.set('call-1', endedCall('call-1'));
    gateway.watches.hear();
    const received = await client.closed();
    expect(statusesOf(received)).toEqual(['HTTP/1.1 200']);
    expect(bodyOf(received)).toMatchObject({ callId: 'call-1', status: 'succeeded' });
    expect(gateway.watches.count).toBe(0);
  });

  test.each(['HTTP/1.1', 'HTTP/1.0'])('and waits for long (%s) is answered when its time is up', async (version) => {
    await using client = await sendAll(get('/async-function/call-1?wait=3s', version));
    const received = await client.closed();
    expect(statusesOf(received)).toEqual(['HTTP/1.1 200']);
    expect(bodyOf(received)).toMatchObject({ callId: 'call-1', status: 'queued' });
    expect(gateway.watches.count).toBe(0);
  });

  test('and waits for a call that is forgotten meanwhile gets no answer that looks complete', async () => {
    await using client = await sendAll(get('/async-function/call-1?wait=1m'));
    await client.answer(/HTTP\/1\.1 200 /);
    gateway.calls.states.clear();
    gateway.watches.hear();
    expect((await client.closed()).trimEnd()).not.toMatch(/\}$/);
    expect(gateway.watches.count).toBe(0);
  });

  test('and requests events gets them until the end', async () => {
    await using client = await sendAll(get('/async-function/call-1', 'HTTP/1.1', 'Accept: text/event-stream\r\n'));
    await client.answer(/"status":"queued"/);
    gateway.calls.states.set('call-1', endedCall('call-1'));
    gateway.watches.hear();
    expect(await client.closed()).toMatch(/"status":"succeeded"/);
    expect(gateway.watches.count).toBe(0);
  });

  test.each(['', 'Accept: text/event-stream\r\n'])(
    'and then closes the other half is forgotten (%j)',
    async (accept) => {
      await using client = await sendAll(get('/async-function/call-1?wait=5m', 'HTTP/1.1', accept));
      await eventually(() => gateway.watches.count === 1);
      client.socket.destroy();
      await eventually(() => gateway.watches.count === 0);
    },
  );

  test('in the middle of its body enqueues nothing', async () => {
    await using client = await sendAll(post('/async-function/echo').replace('Length: 0', 'Length: 9'));
    await client.closed();
    expect(gateway.queue.accepted).toEqual([]);
  });
});
