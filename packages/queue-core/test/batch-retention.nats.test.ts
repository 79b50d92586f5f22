import { expect, onTestFinished, test } from 'vitest';
import type { BatchState } from '../src/batches/index.ts';
import { BatchRetention, BatchStore, CallStore, OutcomePruner } from '../src/jetstream/index.ts';
import { startServer, uniqueQueue } from './connected.ts';
import { outcomeOf } from './dead-letter-fixture.ts';
import { buildCall, startGatewaySide } from './harness.ts';

test('the results and records of a batch stay until it has ended, and then go with its end', async () => {
  const server = await startServer();
  onTestFinished(async () => void (await server.stop()));
  const queue = uniqueQueue();
  const side = await startGatewaySide(server.url, { queues: [queue] });
  onTestFinished(() => side[Symbol.asyncDispose]());
  const { broker, publisher, topology } = side;
  const store = new BatchStore(publisher, topology);
  const calls = new CallStore(publisher, topology);
  const pruner = new OutcomePruner({
    broker,
    topology,
    publisher,
    keptMs: 0,
    batches: () => new BatchRetention(store),
  });
  const batch = { batchId: 'b-1', submitter: 'team.a' };
  const state: BatchState = {
    v: 1,
    ...batch,
    phase: 'sealed',
    startTime: '1700000000000000000',
    createdAt: 17,
    parts: 1,
    total: 1,
    refused: 0,
  };
  const items = [{ callId: 'c-1', function: 'echo', queue }];
  await store.putKey(batch, 'key');
  await store.putState(state, 0);
  await store.putItems(batch, 0, items);
  const call = { ...buildCall(queue, { id: 'c-1' }), submitter: 'team.a', batch: { id: 'b-1', index: 0 } };
  await calls.recordOutcome({ ...outcomeOf(call), batch: call.batch }, Buffer.from('result'));

  expect(await pruner.prune()).toEqual({ forgotten: 0, kept: 5 });
  expect((await calls.findOutcome(outcomeOf(call)))?.outcome.batch).toEqual(call.batch);
  expect(await store.countEnds(batch)).toMatchObject({ succeeded: 1 });
  expect(await store.readItems(batch, 0)).toEqual(items);
  expect((await store.findState(batch))?.state).toEqual(state);
  expect(await store.findKey('team.a', 'key')).toBe('b-1');

  const end = {
    v: 1 as const,
    ...batch,
    succeeded: 1,
    failed: 0,
    cancelled: 0,
    expired: 0,
    endedAt: Date.now() - 60_000,
  };
  await store.recordEnd(end);
  // The state says that the batch exists: everything that is checked after it goes as well.
  await pruner.prune();
  await pruner.prune();
  const { state: left } = await topology.manager.streams.info('OUTCOMES', { subjects_filter: 'outcomes.>' });
  expect(Object.keys(left.subjects ?? {})).toEqual([]);
});
