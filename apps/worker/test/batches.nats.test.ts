import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { type BatchState, type Call, keyOf } from '@asyncfn/queue-core';
import { BatchStore } from '@asyncfn/queue-core/jetstream';
import {
  type CallbackReceiver,
  eventually,
  startCallbackReceiver,
  startTestFunction,
  type TestFunction,
} from '@asyncfn/testkit';
import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest';
import { type SettlingBench, startBench } from './settling-bench.ts';

let server: NatsServer;
let fn: TestFunction;
let receiver: CallbackReceiver;
let bench: SettlingBench;
let batches: BatchStore;
let number = 0;

beforeAll(async () => {
  server = await startNatsServer({ bin: inject('natsServerBin') });
  fn = await startTestFunction({
    handler: (request, response) => void response.writeHead(request.url === '/bad' ? 400 : 200).end('result'),
  });
  receiver = await startCallbackReceiver();
});

afterAll(async () => {
  await receiver.close();
  await fn.close();
  await server.stop();
});

beforeEach(async () => {
  bench = await startBench({ natsUrl: server.url, functionUrl: fn.url });
  batches = new BatchStore(bench.publisher, bench.topology);
  onTestFinished(() => bench[Symbol.asyncDispose]());
});

/** A batch that is being accepted, with the calls of these paths in the queue. */
async function accept(paths: readonly string[]) {
  const batch = { batchId: `batch-${++number}`, submitter: 'team.a' };
  const { state, sequence } = await stored({
    v: 1,
    ...batch,
    phase: 'accepting',
    startTime: `${Date.now()}000000`,
    createdAt: Date.now(),
    parts: 0,
    total: 0,
    refused: 0,
  });
  const calls: Call[] = [];
  for (const [index, path] of paths.entries()) {
    const place = { id: batch.batchId, index };
    calls.push(await bench.put({ id: `${batch.batchId}-${index}`, submitter: 'team.a', path, batch: place }));
  }
  const seal = async (changes: Partial<BatchState> = {}): Promise<void> => {
    const result = await batches.putState({ ...state, phase: 'sealed', total: calls.length, ...changes }, sequence);
    expect(result.kind).toBe('stored');
  };
  return { batch, calls, seal };
}

async function stored(state: BatchState): Promise<{ state: BatchState; sequence: number }> {
  const result = await batches.putState(state, 0);
  return { state, sequence: result.kind === 'stored' ? result.sequence : -1 };
}

async function runOne(): Promise<void> {
  await bench.run(await bench.take());
}

test('a batch ends with its last call, and its callback has the counts', async () => {
  bench.endBatches();
  bench.endBatches();
  bench.deliverStored();
  const { batch, seal } = await accept(['/good', '/bad', '/good']);
  await runOne();
  await seal({ callbackUrl: receiver.url });
  await runOne();
  await eventually(async () => (await batches.countEnds(batch)).failed === 1);
  expect(await batches.findEnd(batch)).toBeUndefined();
  await runOne();
  const end = await eventually(() => batches.findEnd(batch));
  expect(end).toMatchObject({ succeeded: 2, failed: 1, cancelled: 0, expired: 0 });
  const [request] = await eventually(() => receiver.requests.length > 0 && receiver.requests);
  expect(request?.headers).toMatchObject({ 'x-batch-id': batch.batchId, 'content-type': 'application/json' });
  expect(request?.headers).not.toHaveProperty('x-call-id');
  expect(JSON.parse(String(request?.body))).toEqual({
    batchId: batch.batchId,
    total: 3,
    open: 0,
    succeeded: 2,
    failed: 1,
    cancelled: 0,
    expired: 0,
    createdAt: expect.any(String),
    endedAt: new Date(end.endedAt).toISOString(),
  });
});

test('a batch whose calls have ended before it was sealed ends as soon as it is sealed', async () => {
  bench.endBatches();
  const { batch, calls, seal } = await accept(['/good', '/good']);
  await runOne();
  await runOne();
  await eventually(async () => (await batches.countEnds(batch)).succeeded === 2);
  expect(await bench.store.findOutcome(keyOf(calls[0]!))).toMatchObject({
    outcome: { batch: { id: batch.batchId, index: 0 } },
  });
  expect(await batches.findEnd(batch)).toBeUndefined();
  await seal();
  expect(await eventually(() => batches.findEnd(batch))).toMatchObject({ succeeded: 2 });
});

test('if a worker dies, another one reports the end, to the receiver of failures', async () => {
  const failures = await startCallbackReceiver();
  onTestFinished(() => failures.close());
  const { batch, seal } = await accept(['/bad']);
  await runOne();
  await seal({ callbackUrl: receiver.url, failureCallbackUrl: failures.url });
  await batches.recordEnd({ v: 1, ...batch, succeeded: 0, failed: 1, cancelled: 0, expired: 0, endedAt: Date.now() });
  bench.endBatches();
  bench.deliverStored();
  const [request] = await eventually(() => failures.requests.length > 0 && failures.requests);
  expect(request?.headers['x-batch-id']).toBe(batch.batchId);
});
