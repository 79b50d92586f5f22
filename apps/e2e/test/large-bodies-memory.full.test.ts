import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { ApiClient, CallClient } from '@asyncfn/stack';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { openBodyStore } from './harness/broker/body-store.ts';
import { watchMemory } from './harness/memory-watch.ts';
import { startStack } from './harness/stack.ts';
import { listen } from './harness/wire/listen.ts';

const mebibyte = 1024 * 1024;
/** LARGE_BODY_MIB=200 is what docs/performance.md has measured. */
const size = Number(process.env['LARGE_BODY_MIB'] ?? 50) * mebibyte;
const count = 8;
/** What a process may take beyond its idle memory: about 70 MiB are usual, and all bodies are 400 MiB. */
const allowed = 160 * mebibyte;

/** A function that answers the digest of a body, which it does not keep. */
async function startDigest() {
  const server = createServer((request, response) => {
    const hash = createHash('sha256');
    request.on('data', (piece: Buffer) => hash.update(piece));
    request.on('end', () => response.end(hash.digest('hex')));
  });
  return await listen(server);
}

/** Random bytes, a mebibyte at a time, and what their digest will be. */
function randomBody() {
  const block = randomBytes(mebibyte);
  const hash = createHash('sha256');
  const pieces = async function* (): AsyncGenerator<Buffer> {
    for (let sent = 0; sent < size; sent += mebibyte) {
      block.writeUInt32LE(sent / mebibyte);
      hash.update(block);
      yield Buffer.from(block);
    }
  };
  return { pieces: pieces(), digest: () => hash.digest('hex') };
}

test('many large bodies at once take little memory, and small calls go on beside them', async () => {
  await using fn = await startDigest();
  await using quick = await startTestFunction({ keepBodies: false });
  await using stack = await startStack({
    functions: { digest: fn.url, quick: quick.url },
    gatewayEnv: { MAX_BODY_BYTES: '1GiB' },
    natsConfig: 'max_payload: 1MB',
  });
  await using calls = new CallClient(stack.gateway.url);
  await using neighbour = new ApiClient(stack.gateway.url);
  await using store = await openBodyStore(stack.nats.url);
  const idle = {
    gateway: await stack.gateway.metric('process_resident_memory_bytes'),
    worker: await stack.worker.metric('process_resident_memory_bytes'),
  };
  using gateway = watchMemory(stack.gateway);
  using worker = watchMemory(stack.worker);
  const bodies = Array.from({ length: count }, randomBody);
  const headers = { 'Content-Length': String(size) };
  const accepted = Promise.all(
    bodies.map(async ({ pieces }) => {
      const url = `${stack.gateway.url}/async-function/digest`;
      const body = ReadableStream.from(pieces);
      const answer = await fetch(url, { method: 'POST', headers, body, duplex: 'half' });
      expect(answer.status).toBe(202);
      return answer.headers.get('x-call-id') ?? '';
    }),
  );
  // Small calls go on beside them.
  for (let sent = 0; sent < 50; sent++) {
    expect((await neighbour.call('quick', { body: 'small' })).status).toBe(202);
  }
  const callIds = await accepted;
  for (const [at, callId] of callIds.entries()) {
    await calls.until(callId, 'succeeded');
    const result = await calls.result(callId);
    expect(result.body.toString()).toBe(bodies[at]?.digest());
  }
  await eventually(async () => (await store.messages()) === 0);
  expect(gateway.peakBytes - idle.gateway).toBeLessThan(allowed);
  expect(worker.peakBytes - idle.worker).toBeLessThan(allowed);
});

/** A function that sends back what it gets, as it comes, without a length. */
async function startMirror() {
  const server = createServer((request, response) => void pipeline(request, response).catch(() => undefined));
  return await listen(server);
}

/** A receiver that breaks off every connection until it is up, and notes the digests of what it gets. */
async function startAbsentReceiver() {
  let isUp = false;
  let refused = 0;
  const received: { digest: string; length: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const hash = createHash('sha256');
    request.on('data', (piece: Buffer) => hash.update(piece));
    request.on('end', () => {
      received.push({ digest: hash.digest('hex'), length: request.headers['content-length'] });
      response.end();
    });
  });
  server.on('connection', (socket) => {
    if (!isUp) {
      refused += 1;
      socket.resetAndDestroy();
    }
  });
  const listening = await listen(server);
  return {
    ...listening,
    received,
    refused: () => refused,
    comeUp: () => {
      isUp = true;
    },
  };
}

test('many large responses at once take little memory, and a receiver that was away gets its own when it is back', async () => {
  await using fn = await startMirror();
  await using receiver = await startAbsentReceiver();
  await using stack = await startStack({
    functions: { mirror: fn.url },
    gatewayEnv: { MAX_BODY_BYTES: '1GiB' },
    workerEnv: { MAX_RESPONSE_BYTES: '1GiB', CALLBACK_RETRY_SCHEDULE: Array.from({ length: 300 }, () => '1s').join() },
    natsConfig: 'max_payload: 1MB',
  });
  await using calls = new CallClient(stack.gateway.url);
  const idle = {
    gateway: await stack.gateway.metric('process_resident_memory_bytes'),
    worker: await stack.worker.metric('process_resident_memory_bytes'),
  };
  using gateway = watchMemory(stack.gateway);
  using worker = watchMemory(stack.worker);
  const bodies = Array.from({ length: count / 2 }, randomBody);
  const url = `${stack.gateway.url}/async-function`;
  const callIds = await Promise.all(
    bodies.map(async ({ pieces }, at) => {
      const headers = { 'Content-Length': String(size), ...(at === 0 && { 'X-Callback-Url': receiver.url }) };
      const body = ReadableStream.from(pieces);
      const answer = await fetch(`${url}/mirror`, { method: 'POST', headers, body, duplex: 'half' });
      expect(answer.status).toBe(202);
      return answer.headers.get('x-call-id') ?? '';
    }),
  );
  await eventually(() => receiver.refused() > 1);
  receiver.comeUp();
  const results = callIds.map(async (callId) => {
    await calls.until(callId, 'succeeded');
    const { body } = await fetch(`${url}/${callId}/result`);
    const hash = createHash('sha256');
    for await (const piece of body ?? []) {
      hash.update(piece);
    }
    return hash.digest('hex');
  });
  const digests = bodies.map(({ digest }) => digest());
  expect(await Promise.all(results)).toEqual(digests);
  await eventually(() => receiver.received.length > 0);
  expect(receiver.received[0]).toEqual({ digest: digests[0], length: String(size) });
  expect(gateway.peakBytes - idle.gateway).toBeLessThan(allowed);
  expect(worker.peakBytes - idle.worker).toBeLessThan(allowed);
});
