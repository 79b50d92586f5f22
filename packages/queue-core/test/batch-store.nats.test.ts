import { expect, inject, onTestFinished, test } from 'vitest';
import type { BatchState } from '../src/batches/index.ts';
import { BatchStore, CallStore, LostEnds } from '../src/jetstream/index.ts';
import { uniqueQueue } from './connected.ts';
import { outcomeOf } from './dead-letter-fixture.ts';
import { buildCall, startGatewaySide } from './harness.ts';

const body = Buffer.from('result');

async function open() {
  const queue = uniqueQueue();
  const {
    publisher,
    topology,
    queue: accepted,
    ...side
  } = await startGatewaySide(inject('natsUrl'), { queues: [queue] });
  onTestFinished(() => side[Symbol.asyncDispose]());
  const batch = { batchId: `batch-${queue}`, submitter: 'team.a' };
  const state: BatchState = {
    v: 1,
    ...batch,
    phase: 'accepting',
    startTime: '1700000000000000000',
    createdAt: 17,
    parts: 0,
    total: 0,
    refused: 0,
  };
  const callOf = (index: number) => ({
    ...buildCall(queue, { id: `${batch.batchId}-${index}` }),
    submitter: 'team.a',
    batch: { id: batch.batchId, index },
  });
  const store = new BatchStore(publisher, topology);
  const calls = new CallStore(publisher, topology);
  const lost = new LostEnds({ batches: store, calls, topology, now: Date.now });
  return { store, calls, lost, accepted, batch, state, callOf };
}

test('the end of a call of a batch counts once, however often and by whichever process it is recorded', async () => {
  const { store, calls, batch, callOf } = await open();
  expect(await store.countEnds(batch)).toEqual({ succeeded: 0, failed: 0, cancelled: 0, expired: 0 });
  const ends = [callOf(0), callOf(1), callOf(11)].map((call) => ({ ...outcomeOf(call), batch: call.batch }));
  const [first, second, third] = ends as [(typeof ends)[0], (typeof ends)[0], (typeof ends)[0]];
  const results = await Promise.all([
    calls.recordOutcome({ ...first, status: 'succeeded' }, body),
    calls.recordOutcome({ ...first, status: 'failed' }, body),
    calls.recordOutcome({ ...first, status: 'cancelled' }, body),
    calls.recordOutcome({ ...second, status: 'failed' }, body),
    calls.recordOutcome({ ...third, status: 'expired' }, body),
  ]);
  const kinds = results.map((result) => (result.kind === 'refused' ? result.reason : result.kind));
  expect(kinds.filter((kind) => kind === 'conflict')).toHaveLength(2);
  expect(kinds.slice(3)).toEqual(['stored', 'stored']);
  const counts = await store.countEnds(batch);
  expect(counts.succeeded + counts.failed + counts.cancelled + counts.expired).toBe(3);
  expect(await store.listEnds(batch)).toEqual(
    new Map([
      [0, (await calls.findOutcome(first))?.outcome.status],
      [1, 'failed'],
      [11, 'expired'],
    ]),
  );
});

test('the end of a call that an earlier request stored does not count if its item was refused afterwards', async () => {
  const { store, calls, batch, state, callOf } = await open();
  const [kept, refused] = [callOf(0), callOf(1)];
  for (const call of [kept, refused]) {
    await calls.recordOutcome({ ...outcomeOf(call), status: 'succeeded', batch: call.batch }, body);
  }
  const { id: callId, function: name, queue } = kept;
  await store.putItems(batch, 0, [{ callId, function: name, queue }, { problem: { code: 'queue_full' } }]);
  const sealed: BatchState = { ...state, phase: 'sealed', parts: 1, total: 1, refused: 1, resumed: true };
  expect(await store.countEnds(sealed)).toEqual({ succeeded: 1, failed: 0, cancelled: 0, expired: 0 });
});

test('a replay of a call of a batch is not counted', async () => {
  const { store, calls, batch, callOf } = await open();
  const call = callOf(0);
  const end = { ...outcomeOf(call), batch: call.batch };
  await calls.recordOutcome({ ...end, status: 'failed' }, body);
  expect(await calls.recordOutcome({ ...end, status: 'succeeded', generation: 1 }, body)).toMatchObject({
    kind: 'stored',
  });
  expect(await store.countEnds(batch)).toEqual({ succeeded: 0, failed: 1, cancelled: 0, expired: 0 });
});

test('a batch is opened once, sealed by a gateway with its newest state, and ends once', async () => {
  const { store, batch, state } = await open();
  const opened = await store.putState(state, 0);
  expect(await store.putState(state, 0)).toMatchObject({ kind: 'refused', reason: 'conflict' });
  const found = await store.findState(batch);
  expect(found).toMatchObject({ state, sequence: opened.kind === 'stored' ? opened.sequence : -1 });
  const sealed: BatchState = { ...state, phase: 'sealed', total: 2, parts: 1 };
  expect(await store.putState(sealed, found?.sequence ?? 0)).toMatchObject({ kind: 'stored' });
  expect(await store.putState(sealed, found?.sequence ?? 0)).toMatchObject({ reason: 'conflict' });
  const end = { v: 1 as const, ...batch, succeeded: 2, failed: 0, cancelled: 0, expired: 0, endedAt: 18 };
  expect(await store.findEnd(batch)).toBeUndefined();
  expect(await store.recordEnd(end)).toMatchObject({ kind: 'stored' });
  expect(await store.recordEnd({ ...end, endedAt: 19 })).toMatchObject({ reason: 'conflict' });
  expect(await store.findEnd(batch)).toEqual(end);
  expect(await store.findState({ ...batch, submitter: 'team' })).toBeUndefined();
});

test('items are read as they were stored, and a key leads to its batch', async () => {
  const { store, batch } = await open();
  const items = [{ callId: 'c', function: 'echo', queue: 'q' }, { problem: { code: 'unknown_function' } }];
  await store.putItems(batch, 1, items);
  expect(await store.readItems(batch, 1)).toEqual(items);
  expect(await store.readItems(batch, 0)).toBeUndefined();
  expect(await store.putKey(batch, `key of ${batch.batchId}`)).toMatchObject({ kind: 'stored' });
  expect(await store.putKey({ ...batch, batchId: 'x' }, `key of ${batch.batchId}`)).toMatchObject({
    reason: 'conflict',
  });
  expect(await store.findKey('team.a', `key of ${batch.batchId}`)).toBe(batch.batchId);
  expect(await store.findKey(undefined, `key of ${batch.batchId}`)).toBeUndefined();
});

test('a call that has left its queue without an outcome gets one, and a missing mark is stored', async () => {
  const { store, calls, lost, accepted, batch, state, callOf } = await open();
  const [queued, gone, unmarked, marked] = [callOf(0), callOf(1), callOf(2), callOf(3)] as const;
  expect(await accepted.accept(queued, { unique: false })).toMatchObject({ kind: 'stored' });
  await calls.recordOutcome(outcomeOf(unmarked), body);
  await calls.recordOutcome({ ...outcomeOf(marked), batch: marked.batch }, body);
  const items = [queued, gone, unmarked, marked].map(({ id: callId, function: name, queue }) => ({
    callId,
    function: name,
    queue,
  }));
  await store.putItems(batch, 0, [...items, { problem: { code: 'unknown_function' } }]);
  const sealed: BatchState = { ...state, phase: 'sealed', parts: 1, total: 4 };
  expect(await lost.restore(sealed)).toBe(2);
  expect(await store.listEnds(batch)).toEqual(
    new Map([
      [1, 'failed'],
      [2, 'succeeded'],
      [3, 'succeeded'],
    ]),
  );
  expect(await lost.restore(sealed)).toBe(0);
  expect((await calls.findOutcome({ ...outcomeOf(gone) }))?.outcome).toMatchObject({ reason: 'outcome_lost' });
});
