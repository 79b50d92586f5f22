import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, gate, startTestFunction, type TestFunction } from '@asyncfn/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { percentile } from './harness/timing.ts';

const mebibyte = 1024 * 1024;

const held = gate();
let fn: TestFunction;
let stack: Stack;
let client: ApiClient;
let callId: string;

beforeAll(async () => {
  fn = await startTestFunction({ handler: held.handler });
  stack = await startStack({ functions: { fn: fn.url } });
  client = new ApiClient(stack.gateway.url, 20);
  callId = await client.accept('fn');
  await fn.waitForInvocations(1);
});

afterAll(async () => {
  await client[Symbol.asyncDispose]();
  await stack[Symbol.asyncDispose]();
  await fn.close();
});

async function connectToGateway(): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port: Number(new URL(stack.gateway.url).port) });
  // A reset counts as an end.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

function ask(method: string, query = '', headers = ''): string {
  return `${method} /async-function/${callId}${query} HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`;
}

const events = 'Accept: text/event-stream\r\n';

async function subscriptions(): Promise<number> {
  const report = await (await fetch(`${stack.nats.monitorUrl}/varz`)).json();
  return (report as { subscriptions: number }).subscriptions;
}

async function residentBytes(): Promise<number> {
  return await stack.gateway.metric('process_resident_memory_bytes');
}

/** How long the calls of others take in the meantime, in milliseconds. */
async function timeCalls(count: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n++) {
    const { status, tookMs } = await client.call('fn');
    expect(status).toBe(202);
    times.push(tookMs);
  }
  return times;
}

test('a HEAD waits for nothing, and leaves nothing behind', async () => {
  const before = await subscriptions();
  for (const [query, headers] of [
    ['', events],
    ['?wait=5m', ''],
    ['?wait=5m', events],
  ] as const) {
    const socket = await connectToGateway();
    let received = '';
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
    });
    socket.write(ask('HEAD', query, headers).repeat(250));
    await eventually(() => received.match(/HTTP\/1\.1 200 /g)?.length === 250, { message: `HEAD ${query} ${headers}` });
    socket.destroy();
  }
  await eventually(async () => (await subscriptions()) < before + 10, { message: 'subscriptions are left' });
});

test('none of 1,000 clients that reset at once goes on waiting', async () => {
  const before = await subscriptions();
  for (let round = 0; round < 10; round++) {
    const sockets = await Promise.all(Array.from({ length: 100 }, connectToGateway));
    for (const [index, socket] of sockets.entries()) {
      // While the gateway looks the call up, which takes some milliseconds.
      setTimeout(() => socket.resetAndDestroy(), index % 10);
      socket.write(index % 2 === 0 ? ask('GET', '?wait=5m') : ask('GET', '', events));
    }
    await eventually(() => sockets.every(({ closed }) => closed));
  }
  await eventually(async () => (await subscriptions()) < before + 10, {
    message: 'clients that are gone still wait',
  });
});

test('20,000 waits on one connection cost next to nothing, and are answered one after the other', async () => {
  await timeCalls(200);
  const quiet = await timeCalls(200);
  const before = { subscriptions: await subscriptions(), bytes: await residentBytes() };
  const socket = await connectToGateway();
  let answers = 0;
  socket.on('data', (chunk: Buffer) => {
    answers += chunk.toString('latin1').match(/HTTP\/1\.1 200 /g)?.length ?? 0;
  });
  socket.write(ask('GET', '?wait=5m').repeat(20_000), 'latin1');
  await eventually(async () => (await subscriptions()) > before.subscriptions);

  const busy = await timeCalls(200);
  expect(percentile(busy, 0.5)).toBeLessThan(Math.max(500, 5 * percentile(quiet, 0.5)));
  expect(await subscriptions()).toBeLessThan(before.subscriptions + 10);
  expect((await residentBytes()) - before.bytes).toBeLessThan(40 * mebibyte);

  held.open();
  await using calls = new CallClient(stack.gateway.url);
  await calls.untilEnded(callId);
  // More than are read at once.
  await eventually(() => answers > 3_000, { message: 'those behind are not answered' });
  socket.destroy();
});
