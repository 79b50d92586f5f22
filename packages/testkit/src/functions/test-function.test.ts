import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { eventually } from '../eventually.ts';
import { freePort } from '../free-port.ts';
import { gate, hash, sleep, status } from './function-behaviours.ts';
import { startTestFunction } from './test-function.ts';

async function post(url: string, body: Buffer | string = '', headers: Record<string, string> = {}, agent?: Agent) {
  const outgoing = httpRequest(url, { method: 'POST', headers, ...(agent && { agent }) });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  return { status: response.statusCode, headers: response.headers, body: await buffer(response) };
}

test('echo answers with the bytes and the content type it was sent, and the invocation is recorded', async () => {
  await using fn = await startTestFunction();
  const body = randomBytes(300_000);
  const answer = await post(`${fn.url}/a%20b/c?x=1&x=%00`, body, { 'Content-Type': 'image/png', 'X-Call-Id': 'c1' });
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'image/png' } });
  expect(answer.body.equals(body)).toBe(true);

  const [invocation] = fn.byCallId('c1');
  expect(invocation).toMatchObject({ method: 'POST', url: '/a%20b/c?x=1&x=%00', callId: 'c1', aborted: false });
  expect(invocation!.body.equals(body)).toBe(true);
  expect(invocation!.rawHeaders.slice(0, 2)).toEqual(['Content-Type', 'image/png']);
});

test('thousands of calls over 64 connections are all recorded, each once', async () => {
  await using fn = await startTestFunction({ handler: hash });
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const bodies = Array.from({ length: 3_000 }, (_, index) => randomBytes(index % 257));
  const answers = await Promise.all(
    bodies.map((body, index) => post(fn.url, body, { 'x-call-id': `call-${index}` }, agent)),
  );
  agent.destroy();
  expect(fn.invocations).toHaveLength(3_000);
  expect(fn.maxInFlight).toBeLessThanOrEqual(64);
  expect(answers.every(({ body }, index) => body.toString() === sha256(bodies[index]!))).toBe(true);
  expect(bodies.every((_, index) => fn.countBy(`call-${index}`) === 1)).toBe(true);
});

test('a gate holds calls in flight until it is opened', async () => {
  const held = gate(status(201));
  await using fn = await startTestFunction({ handler: held.handler });
  const answers = Promise.all(Array.from({ length: 60 }, () => post(fn.url)));
  await fn.waitForInvocations(60);
  expect(fn).toMatchObject({ inFlight: 60, maxInFlight: 60 });
  held.open();
  expect((await answers).every((answer) => answer.status === 201)).toBe(true);
  await eventually(() => fn.inFlight === 0);
});

test('status fails as often as it was told for each call id, then answers 200', async () => {
  await using fn = await startTestFunction({ handler: status(429, { times: 2, retryAfter: 7 }) });
  const statusOf = async (callId: string) => (await post(fn.url, '', { 'x-call-id': callId })).status;
  expect([await statusOf('a'), await statusOf('b'), await statusOf('a'), await statusOf('a')]).toEqual([
    429, 429, 429, 200,
  ]);
  expect((await post(fn.url, '', { 'x-call-id': 'c' })).headers['retry-after']).toBe('7');
});

test('the handler can be replaced while the function runs', async () => {
  await using fn = await startTestFunction({ handler: status(503) });
  expect((await post(fn.url)).status).toBe(503);
  fn.handler = status(204);
  expect((await post(fn.url)).status).toBe(204);
});

test('a client that leaves before the answer is recorded as aborted, and sleep stops waiting', async () => {
  await using fn = await startTestFunction({ handler: sleep(60_000) });
  const outgoing = httpRequest(fn.url, { method: 'POST' });
  outgoing.on('error', () => {});
  outgoing.end('x');
  const [invocation] = await fn.waitForInvocations(1);
  expect(invocation!.aborted).toBe(false);
  outgoing.destroy();
  await eventually(() => invocation!.aborted && invocation!.signal.aborted && fn.inFlight === 0);
});

test('a client that leaves in the middle of its body is recorded as aborted and not answered', async () => {
  let answered = 0;
  await using fn = await startTestFunction({ handler: () => void answered++ });
  const socket = connect(fn.port, '127.0.0.1');
  socket.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf');
  await eventually(() => fn.inFlight === 1);
  socket.destroy();
  const [invocation] = await fn.waitForInvocations(1);
  expect(invocation!.aborted).toBe(true);
  expect(answered).toBe(0);
});

test('an assertion that fails inside a handler answers 500 and fails the close', async () => {
  const fn = await startTestFunction({
    handler: () => {
      throw new Error('unexpected header');
    },
  });
  expect((await post(fn.url)).status).toBe(500);
  await expect(fn.close()).rejects.toMatchObject({ errors: [new Error('unexpected header')] });
});

test('close drops idle and busy connections, and the port is free afterwards', async () => {
  const port = await freePort();
  const fn = await startTestFunction({ port, handler: sleep(60_000) });
  const pending = post(fn.url).catch((error: NodeJS.ErrnoException) => error.code);
  await fn.waitForInvocations(1);
  await fn.close();
  expect(await pending).toBe('ECONNRESET');
  await using again = await startTestFunction({ port });
  expect((await post(again.url)).status).toBe(200);
});

test('bodies are dropped after the answer when they are not to be kept', async () => {
  await using fn = await startTestFunction({ keepBodies: false });
  expect((await post(fn.url, 'hello')).body.toString()).toBe('hello');
  await eventually(() => fn.invocations[0]?.body.length === 0);
});

function sha256(body: Buffer): string {
  return createHash('sha256').update(body).digest('hex');
}
