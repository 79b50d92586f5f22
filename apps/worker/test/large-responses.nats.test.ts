import { createHash, randomBytes } from 'node:crypto';
import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { type BodyObject, type Call, keyOf, type Outcome } from '@asyncfn/queue-core';
import { CallbackVerifier } from '@asyncfn/queue-core/webhook';
import {
  byteByByte,
  type CallbackReceiver,
  eventually,
  type RequestHandler,
  startCallbackReceiver,
  startRawServer,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { type BenchOptions, type SettlingBench, startBench } from './settling-bench.ts';

const offloadBytes = 100_000;
const large = randomBytes(1_500_001);
const secret = randomBytes(32);

let server: NatsServer;
let fn: TestFunction;
let inbox: CallbackReceiver;
let bench: SettlingBench;

// A server for each test: all responses that are stored are of that test.
beforeEach(async () => {
  server = await startNatsServer({ bin: inject('natsServerBin') });
  fn = await startTestFunction({ handler: answer(large) });
  inbox = await startCallbackReceiver();
  bench = await open();
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
  await fn.close();
  await inbox.close();
  await server.stop();
});

function open(options: Partial<BenchOptions> = {}): Promise<SettlingBench> {
  const signing = { common: [secret], tokens: () => undefined };
  return startBench({ natsUrl: server.url, functionUrl: fn.url, offloadBytes, signing, ...options });
}

/** With its length, or in pieces of unknown number. */
function answer(body: Buffer, { chunked = false, headers = {} } = {}): RequestHandler {
  return (_, response) => {
    response.writeHead(200, { ...headers, ...(!chunked && { 'Content-Length': String(body.length) }) });
    for (let at = 0; at < body.length; at += 70_000) {
      response.write(body.subarray(at, at + 70_000));
    }
    response.end();
  };
}

async function callOf(changes: Partial<Call> = {}): Promise<Call> {
  const call = await bench.put(changes);
  await bench.run(await bench.take());
  return call;
}

async function outcomeOf(call: Call): Promise<Outcome | undefined> {
  return (await bench.store.findOutcome(keyOf(call)))?.outcome;
}

async function read(object: BodyObject | undefined): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of object === undefined ? [] : bench.bodies.read(object)) {
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Messages of the store of bodies. */
async function stored(): Promise<number> {
  return (await bench.topology.manager.streams.info('OBJ_BODIES')).state.messages;
}

describe('a response', () => {
  test.each([true, false])(
    'is beside its outcome up to OFFLOAD_BYTES, and apart beyond it (chunked: %s)',
    async (chunked) => {
      for (const length of [offloadBytes - 1, offloadBytes]) {
        fn.handler = answer(large.subarray(0, length), { chunked });
        const ended = await bench.store.findOutcome(keyOf(await callOf()));
        expect(ended?.outcome).not.toHaveProperty('bodyObject');
        expect(ended?.body).toHaveLength(length);
      }
      expect(await stored()).toBe(0);
      for (const length of [offloadBytes + 1, large.length]) {
        const body = large.subarray(0, length);
        fn.handler = answer(body, { chunked });
        const { bodyObject } = (await outcomeOf(await callOf())) ?? {};
        expect(bodyObject).toMatchObject({ length, sha256: createHash('sha256').update(body).digest('base64url') });
        expect((await read(bodyObject)).equals(body)).toBe(true);
      }
    },
  );

  test.each([true, false])(
    'may have MAX_RESPONSE_BYTES, and nothing stays of a larger one (chunked: %s)',
    async (chunked) => {
      const most = Buffer.alloc(16 * 1024 * 1024, 'm');
      fn.handler = answer(most, { chunked });
      expect(await outcomeOf(await callOf())).toMatchObject({ bodyObject: { length: most.length } });
      const before = await stored();
      fn.handler = answer(Buffer.alloc(most.length + 1), { chunked });
      expect(await outcomeOf(await callOf())).toMatchObject({ status: 'failed', reason: 'response_too_large' });
      await eventually(async () => (await stored()) === before);
    },
  );

  test('that breaks off, or is shorter than it says, ends the attempt as an error, and nothing of it stays', async () => {
    await using raw = await startRawServer('');
    const bodies = {
      known: `Content-Length: ${large.length}\r\n\r\n`,
      unknown: 'Transfer-Encoding: chunked\r\n\r\n8000\r\n',
    };
    for (const rest of Object.values(bodies)) {
      raw.answer = ({ write, reset }) => {
        write(`HTTP/1.1 200 OK\r\n${rest}`);
        write('x'.repeat(0x8000));
        write(rest.startsWith('T') ? `\r\n40000\r\n${'y'.repeat(0x3ffff)}` : 'y'.repeat(200_000));
        setTimeout(reset, 50);
      };
      const call = await bench.put({ maxRetries: 0 });
      await bench.run(await bench.take(), { ...bench.target, url: raw.url });
      expect(await outcomeOf(call)).toMatchObject({ status: 'failed', functionStatus: 502 });
      expect(await outcomeOf(call)).not.toHaveProperty('bodyObject');
    }
    await eventually(async () => (await stored()) === 0);
  });

  test('has to agree with its Content-Digest', async () => {
    const digest = `sha-256=:${createHash('sha256').update(large).digest('base64')}:`;
    fn.handler = answer(large, { headers: { 'Content-Digest': `sha-512=:AAAA:, ${digest}` } });
    expect(await outcomeOf(await callOf())).toMatchObject({ status: 'succeeded' });
    const before = await stored();
    const other = randomBytes(large.length);
    fn.handler = answer(other, { headers: { 'Content-Digest': digest } });
    const call = await callOf({ maxRetries: 0 });
    expect(await outcomeOf(call)).toMatchObject({
      status: 'failed',
      functionStatus: 502,
      history: [{ error: 'bad_response: digest_mismatch' }],
    });
    await eventually(async () => (await stored()) === before);
  });

  test('of an attempt that is retried does not stay', async () => {
    fn.handler = status(503, { body: 'b'.repeat(200_000) });
    await callOf({ maxRetries: 1 });
    expect(await bench.hasRetries()).toBe(true);
    await eventually(async () => (await stored()) === 0);
  });

  test('that the broker does not take now costs no attempt: the call goes back', async () => {
    const upload = async () => ({ kind: 'refused', reason: 'unavailable', detail: 'not now' }) as const;
    await using other = await open({ upload });
    const call = await other.put();
    const delivery = await other.take();
    await other.run(delivery);
    expect(delivery.settled).toBe(true);
    expect(await other.store.findOutcome(keyOf(call))).toBeUndefined();
    expect(await other.queued()).toBe(1);
    expect(other.logged).toContain(
      'large response of a function cannot be stored now: the call goes back to its queue',
    );
  });
});

test('a response whose pieces NATS never takes ends its call, instead of being asked for again for ever', async () => {
  const upload = async () => ({ kind: 'refused', reason: 'too_large', detail: 'max_payload' }) as const;
  await using other = await open({ upload });
  const call = await other.put();
  await other.run(await other.take());
  expect(await outcomeOf(call)).toMatchObject({
    status: 'failed',
    reason: 'response_too_large',
    history: [{ error: 'response_too_large: max_payload' }],
  });
  expect(other.logged).toContain(
    'large response of a function cannot be stored: raise max_payload of NATS to 192 KiB or more',
  );
});

test('a response that the worker may not store fails its attempt, and the log names the permission', async () => {
  const permissions = '{ publish: { allow: [">"], deny: ["$O.BODIES.>"] } }';
  await using strict = await startNatsServer({
    bin: inject('natsServerBin'),
    config: `authorization { users: [{ user: u, password: p, permissions: ${permissions} }] }\nno_auth_user: u`,
  });
  await using other = await open({ natsUrl: strict.url });
  const call = await other.put({ maxRetries: 0 });
  const ended = await eventually(async () => {
    await other.run(await other.take());
    return other.store.findOutcome(keyOf(call));
  });
  expect(ended.outcome).toMatchObject({
    status: 'failed',
    history: [{ error: 'bad_response: not_permitted' }],
  });
  expect(other.logged).toContain(
    'large response of a function cannot be stored: give the NATS user of the worker the permissions of docs/nats-permissions.md',
  );
});

describe('a function that pauses in its response', () => {
  let goOn: () => void;

  beforeEach(() => {
    fn.handler = (_, response) => {
      response.write(large.subarray(0, 500_000));
      goOn = () => void response.end(large.subarray(500_000));
    };
  });

  /** Sequence of the record of the upload. */
  async function recordAt(): Promise<number | undefined> {
    const record = await bench.topology.manager.streams.getMessage('OBJ_BODIES', { last_by_subj: '$O.BODIES.M.*' });
    return record?.seq;
  }

  test('keeps what it has sent, however long it pauses: the worker renews the record of the upload', async () => {
    await using other = await open({ bodySweepAfterMs: 80 });
    const call = await other.put();
    const run = other.run(await other.take());
    const first = await eventually(recordAt);
    // A sweeper that has seen an earlier one removes nothing.
    await eventually(async () => ((await recordAt()) ?? 0) > first + 8);
    goOn();
    await run;
    const { bodyObject } = (await outcomeOf(call)) ?? {};
    expect((await read(bodyObject)).equals(large)).toBe(true);
    expect(await stored()).toBe(13);
  });

  test('and whose upload is removed although its worker is heard of has failed in this attempt', async () => {
    const call = await bench.put({ maxRetries: 0 });
    const run = bench.run(await bench.take());
    await bench.topology.manager.streams.deleteMessage('OBJ_BODIES', await eventually(recordAt));
    goOn();
    await run;
    expect(await outcomeOf(call)).toMatchObject({
      status: 'failed',
      functionStatus: 502,
      history: [{ error: 'bad_response: response_removed' }],
    });
    expect(fn.invocations).toHaveLength(1);
  });
});

describe('the callback of a large response', () => {
  test('has its length and both signatures, and the same bytes each time', async () => {
    inbox.handler = status(503, { times: 1 });
    bench.deliverStored();
    await callOf({ callbackUrl: inbox.url });
    await eventually(() => inbox.callbacks.length === 2);
    for (const { headers, body } of inbox.callbacks) {
      expect(body.equals(large)).toBe(true);
      expect(headers).toMatchObject({ 'content-length': String(large.length), 'x-function-status': '200' });
      const verifier = new CallbackVerifier([secret], headers, Date.now());
      verifier.update(body);
      expect(verifier.verdict()).toEqual({ kind: 'valid' });
    }
  });

  test('comes from the store if the worker dies before it is sent', async () => {
    inbox.handler = status(204);
    await using quick = await open({ ackWaitMs: 1_000 });
    const call = await quick.put({ callbackUrl: inbox.url });
    await quick.take(); // and dies
    const ended = { status: 'succeeded' as const, functionStatus: 200, attempts: 1, maxRetries: 0, endedAt: 1 };
    const upload = await bench.bodies.upload();
    if ('kind' in upload) {
      throw new Error(upload.detail);
    }
    await upload.write(large);
    const result = await upload.finishReply(call);
    const { queue, function: name } = quick.lane;
    const of = { ...keyOf(call), queue, function: name, callbackUrl: inbox.url, headers: [] };
    const apart = { bodyObject: (result as { object: BodyObject }).object, bodyOmitted: 'stored_apart' };
    await bench.store.recordOutcome({ v: 1, ...ended, ...of, ...apart }, Buffer.alloc(0));
    await quick.run(await quick.take());
    expect(fn.invocations).toEqual([]);
    expect(inbox.callbacks.map(({ body }) => body.equals(large))).toEqual([true]);
  });

  test('is a dead letter if its response is gone, and says so if it is replayed', async () => {
    inbox.handler = status(503);
    await using once = await open({ callbackScheduleMs: [100] });
    const call = await once.put({ callbackUrl: inbox.url });
    await once.run(await once.take());
    const { bodyObject } = (await outcomeOf(call)) ?? {};
    await once.bodies.discard(bodyObject!);
    once.deliverStored();
    const letter = await eventually(async () => (await once.deadLetters.find({ callId: call.id }))[0]);
    expect(letter).toMatchObject({ letter: { kind: 'callback', reason: 'callback_undeliverable', attempts: 2 } });
    // The receiver has had it as a whole once, and never again.
    expect(inbox.callbacks.filter(({ body }) => body.length > 0)).toHaveLength(1);
    const replayed = await once.deadLetters.replay({ callId: call.id }, () => once.target);
    expect(replayed).toEqual({ kind: 'kept', refusal: 'not_replayable' });
  });
});

test('the next step of a chain takes the response over without a copy, and leaves it to the step before', async () => {
  const step = { function: bench.lane.function, queue: bench.lane.queue, path: '/next', query: '' };
  const call = await callOf({ steps: [step] });
  const { bodyObject, next } = (await outcomeOf(call)) ?? {};
  const before = await stored();
  fn.handler = (_, response) => void response.end('done');
  const delivery = await bench.take();
  expect(delivery).toMatchObject({ callId: next?.callId, call: { call: { bodyObject } } });
  await bench.run(delivery);
  expect(fn.byCallId(next?.callId ?? '').map(({ body }) => body.equals(large))).toEqual([true]);
  expect(await stored()).toBe(before);
  expect((await read(bodyObject)).equals(large)).toBe(true);
});

test('what a function sends byte by byte is stored as it is', async () => {
  await using raw = await startRawServer('');
  raw.answer = byteByByte(`HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n${'z'.repeat(300)}`);
  await using other = await open({ offloadBytes: 100 });
  const call = await other.put();
  await other.run(await other.take(), { ...other.target, url: raw.url });
  expect((await other.store.findOutcome(keyOf(call)))?.outcome.bodyObject).toMatchObject({ length: 300 });
});
