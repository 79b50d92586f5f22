import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { type AttemptRecord, type Call, createCallId, decodeCall, identityOf, keyOf } from '@asyncfn/queue-core';
import { ReceiptStore } from '@asyncfn/queue-core/jetstream';
import {
  type CallbackReceiver,
  type RequestHandler,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import { type SettlingBench, startBench } from './settling-bench.ts';

/** The value in nats-server's own configuration. */
const maxPayload = 1024 * 1024;

let server: NatsServer;
let fn: TestFunction;
let inbox: CallbackReceiver;
let bench: SettlingBench;
let failing: RequestHandler = status(500);

beforeAll(async () => {
  server = await startNatsServer({ bin: inject('natsServerBin'), maxPayload });
});

afterAll(() => server.stop());

beforeEach(async () => {
  fn = await startTestFunction();
  inbox = await startCallbackReceiver();
  bench = await startBench({ natsUrl: server.url, functionUrl: fn.url });
});

afterEach(async () => {
  await bench[Symbol.asyncDispose]();
  await fn.close();
  await inbox.close();
});

/** Stores the largest call that the broker takes, past the gateway, which would refuse it. */
async function putLargest(ofSize: (bytes: number) => Partial<Call>, from: number): Promise<Call> {
  const first = await bench.put();
  await bench.run(await bench.take());
  fn.handler = failing;
  for (let bytes = from; ; bytes -= 16) {
    const call: Call = { ...first, ...ofSize(bytes), id: createCallId() };
    const { kind } = await bench.store.putBack(call, Date.now(), 0);
    if (kind === 'stored') {
      return call;
    }
  }
}

const ofBody = (bytes: number): Partial<Call> => ({ body: Buffer.alloc(bytes, 'b') });
const ofHeader = (bytes: number): Partial<Call> => ({ retry: -1, headers: [['x', 'h'.repeat(bytes)]] });

describe('attempts that make a message too large are left out', () => {
  const one: AttemptRecord = { attempt: 1, startedAt: 1, error: 'e'.repeat(64), verdict: 'retry', worker: 'w:1' };
  const history = Array.from({ length: 20 }, () => one);
  const withHistory = (bytes: number): Partial<Call> => ({ ...ofBody(bytes), history });
  const from = maxPayload - JSON.stringify(history).length - 300;

  test('of the retry', async () => {
    failing = status(500);
    const call = await putLargest(withHistory, from);
    await bench.run(await bench.take());
    const queued = await bench.store.findQueued({ ...identityOf(call), queue: call.queue, function: call.function });
    expect(queued).toMatchObject({ id: call.id, retry: 1, body: { length: call.body.length } });
    expect(queued).not.toHaveProperty('history');
  });

  test('of the dead letter', async () => {
    failing = status(404);
    const call = await putLargest(withHistory, from);
    await bench.run(await bench.take());
    const [letter] = await bench.deadLetters.find({ callId: call.id });
    expect(letter?.letter).not.toHaveProperty('omitted');
    expect(letter?.body.length).toBe(call.body.length);
    expect(decodeCall(letter!.original, letter!.body)).not.toMatchObject({ call: { history: expect.anything() } });
  });
});

describe('a call that the broker takes although it takes none of its records', () => {
  test('is refused before it is accepted', async () => {
    await bench.put();
    const refused = await bench.accept(ofBody(maxPayload - 4 * 1024), { unique: false });
    expect(refused).toMatchObject({ kind: 'refused', reason: 'too_large' });
    const accepted = await bench.accept(ofBody(maxPayload - 5 * 1024), { unique: false });
    expect(accepted).toMatchObject({ kind: 'stored' });
  });

  test('is not invoked again if its retry cannot be stored: it fails, and its dead letter says what it leaves out', async () => {
    failing = status(500, { body: 'sorry' });
    const call = await putLargest((bytes) => ({ ...ofBody(bytes), callbackUrl: inbox.url }), maxPayload - 300);
    await bench.run(await bench.take());
    expect(fn.countBy(call.id)).toBe(1);
    expect(await bench.queued()).toBe(0);
    expect(await bench.store.findOutcome(keyOf(call))).toMatchObject({
      outcome: { status: 'failed', reason: 'too_large', functionStatus: 500, attempts: 1 },
    });
    expect(await bench.deadLetters.find({ callId: call.id })).toMatchObject([
      { letter: { kind: 'call', reason: 'too_large', omitted: 'body' }, body: { length: 0 } },
    ]);
    expect(inbox.callbacks.map(({ body }) => body.toString())).toEqual(['sorry']);
    const replayed = await bench.deadLetters.replay({ callId: call.id }, () => bench.target);
    expect(replayed).toEqual({ kind: 'kept', refusal: 'not_replayable' });
  });

  test('is dead without a body if it fails for good', async () => {
    failing = status(404);
    const call = await putLargest(ofBody, maxPayload - 300);
    await bench.run(await bench.take());
    expect([fn.countBy(call.id), await bench.queued()]).toEqual([1, 0]);
    expect(await bench.deadLetters.find({ callId: call.id })).toMatchObject([
      { letter: { reason: 'rejected', lastStatus: 404, omitted: 'body' } },
    ]);
  });
});

test('a message that cannot be read, as large as possible, is set aside as far as it fits, and once only', async () => {
  const call = await putLargest(ofHeader, 64 * 1024 - 300);
  const delivery = await bench.take();
  expect(delivery.call.kind).toBe('undecodable');
  await bench.run(delivery);
  expect([delivery.settled, await bench.queued()]).toEqual([true, 0]);
  const [found] = await bench.deadLetters.find({ callId: call.id });
  expect(found).toMatchObject({ letter: { reason: 'undecodable', omitted: 'all' }, original: '' });
});

describe('a call with everything that a request may carry', () => {
  /** The most that 16 KiB of request headers become in a record: names of one letter, values that JSON escapes. */
  const headers: [string, string][] = Array.from({ length: 2_700 }, () => ['a', '"']);
  const longest = {
    headers: [...headers, ['tracestate', `a=${'"'.repeat(2_000)}`]] as [string, string][],
    path: `/${'"'.repeat(500)}`,
    id: 'i'.repeat(128),
    submitter: 's'.repeat(63),
    parentId: 'p'.repeat(128),
  };

  test('is retried with as many attempts as a call may have', async () => {
    fn.handler = status(500);
    const one = { attempt: 1_000, startedAt: 1.7e12, durationMs: 86_400_000, verdict: 'retry', retryAt: 1.7e12 };
    const history = Array.from({ length: 20 }, () => ({ ...one, error: 'e'.repeat(64), worker: 'w'.repeat(75) }));
    await bench.put({ ...longest, history, callbackUrl: `${inbox.url}/${'c'.repeat(2_000)}`, maxRetries: 1_000 });
    await bench.run(await bench.take());
    expect(await bench.hasRetries()).toBe(true);
  });

  test('is retried, ends, is called back and is replayed', async () => {
    const callbackUrl = `${inbox.url}/${'c'.repeat(2_000)}`;
    fn.handler = status(500, { headers: { 'X-Long': 'h'.repeat(8_000) } });
    const call = await bench.put({ ...longest, callbackUrl, maxRetries: 1 });
    await bench.run(await bench.take());
    expect(await bench.hasRetries()).toBe(true);
    await bench.store.removeQueued({ ...identityOf(call), queue: call.queue, function: call.function });

    inbox.handler = status(500);
    const last = await bench.put({ ...longest, id: 'j'.repeat(128), callbackUrl, maxRetries: 0 });
    await bench.run(await bench.take());
    expect(await bench.callbackStore.find(keyOf(last))).toMatchObject({ tries: 1, url: callbackUrl });
    expect(await bench.store.findOutcome(keyOf(last))).toMatchObject({ outcome: { status: 'failed', callbackUrl } });
    const [letter] = await bench.deadLetters.find({ callId: last.id });
    expect(letter?.letter).toMatchObject({ kind: 'call', reason: 'retries_exhausted' });
    expect(letter?.letter.omitted).toBeUndefined();
    const replayed = await bench.deadLetters.replay({ callId: last.id }, () => bench.target);
    expect(replayed).toMatchObject({ kind: 'replayed' });
  });
});

test('a page of receipts holds calls of the longest names', async () => {
  const name = 'n'.repeat(63);
  const receipts = Array.from({ length: 50 }, () => ({
    callId: 'i'.repeat(128),
    submitter: 's'.repeat(63),
    startTime: '9'.repeat(20),
    queue: name,
    function: `${name}.${name}`,
  }));
  const store = new ReceiptStore(bench.publisher, bench.topology);
  expect(await store.put({ v: 1, receipts, dueAt: Date.now(), waitMs: 1 })).toMatchObject({ kind: 'stored' });
});
