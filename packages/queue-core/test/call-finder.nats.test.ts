import { eventually } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { type CallState, identityOf } from '../src/index.ts';
import { openFinder, reportOf } from './call-fixture.ts';
import { bury, outcomeOf } from './dead-letter-fixture.ts';

function isIn(standing: CallState | undefined, phase: string): boolean {
  return standing?.kind === 'active' && standing.phase === phase;
}

describe('a call', () => {
  test('is found in each of its states', async () => {
    const { finder, put, take, store, reports, settle } = await openFinder();
    const call = await put();
    expect(await finder.find({ callId: call.id })).toMatchObject({
      kind: 'active',
      phase: 'queued',
      call: { id: call.id, retry: 0 },
    });

    const first = await take();
    reports.set(call.id, reportOf(call, 'running'));
    expect(await finder.find({ callId: call.id })).toMatchObject({
      kind: 'active',
      phase: 'running',
      held: { retry: 0 },
    });

    const next = { ...call, retry: 1, startedAt: Date.now() };
    const dueAt = Date.now() + 1_000;
    expect(await store.scheduleRetry(first, next, dueAt)).toMatchObject({ kind: 'stored' });
    expect(await finder.find({ callId: call.id })).toMatchObject({ phase: 'retrying', call: { retry: 1 }, dueAt });
    reports.clear();
    await settle(first);
    expect(await finder.find({ callId: call.id })).toMatchObject({ phase: 'retrying' });

    const second = await take();
    reports.set(call.id, reportOf(next, 'running'));
    expect(await finder.find({ callId: call.id })).toMatchObject({ phase: 'running', held: { retry: 1 } });
    const outcome = outcomeOf(next, { status: 'failed', reason: 'rejected' });
    expect(await store.recordOutcome(outcome, Buffer.from('no'))).toMatchObject({ kind: 'stored' });
    const ended = { kind: 'ended', outcome, callback: undefined };
    expect(await finder.find({ callId: call.id })).toMatchObject(ended);
    await settle(second);
    const found = await finder.find({ callId: call.id });
    expect(found).toMatchObject(ended);
    // A found call has no body: waiting requests hold it.
    expect(found).not.toHaveProperty('body');
    const result = found?.kind === 'ended' ? await store.readResult(found) : undefined;
    expect(String(Buffer.from(result ?? ''))).toBe('no');
    // Even if it is no longer known where its end is stored.
    expect((await store.readResult({ outcome }))?.length).toBe(2);
  });

  test('whose worker does not answer counts as running, until its lease has ended', async () => {
    const { finder, put, take } = await openFinder({ ackWaitMs: 2_000 });
    const call = await put({ retry: 1 });
    await take();
    const startedAt = performance.now();
    while (performance.now() - startedAt < 1_500) {
      expect(await finder.find({ callId: call.id })).toMatchObject({ phase: 'running', isSilent: true });
    }
    await eventually(async () => isIn(await finder.find({ callId: call.id }), 'queued'));
  });

  test('whose worker answers late keeps its last reported state, however long that goes on', async () => {
    const { finder, put, take, answer } = await openFinder({ ackWaitMs: 1_000 });
    const call = await put();
    const delivery = await take();
    const report = { ...reportOf(call, 'running'), retry: 2 };
    answer(call, [{ report, afterMs: 350 }]);
    const startedAt = performance.now();
    for (let look = 0; performance.now() - startedAt < 3_000; look++) {
      delivery.inProgress();
      const held = look > 1 ? report : undefined;
      expect(await finder.find({ callId: call.id })).toMatchObject({ phase: 'running', ...(held && { held }) });
    }
  });

  test('is run by the worker that says so, whatever the worker of the previous attempt says', async () => {
    const { finder, put, take, answer } = await openFinder();
    const call = await put({ retry: 1 });
    await take();
    answer(call, [
      { report: { ...reportOf(call, 'left'), retry: 0 }, afterMs: 0 },
      { report: reportOf(call, 'running'), afterMs: 20 },
    ]);
    expect(await finder.find({ callId: call.id })).toMatchObject({ phase: 'running', held: { retry: 1 } });
  });

  test('that its worker has handed back waits, until it is handed out again', async () => {
    const { finder, put, take, settle, handovers, reports } = await openFinder();
    const call = await put();
    const first = await take();
    await handovers.note(identityOf(call));
    first.nak();
    await settle(first);
    expect(await finder.find({ callId: call.id })).toMatchObject({ kind: 'active', phase: 'queued' });
    await take();
    reports.set(call.id, reportOf(call, 'running'));
    expect(await finder.find({ callId: call.id })).toMatchObject({ phase: 'running' });
    reports.clear();
    expect(await finder.find({ callId: call.id })).toMatchObject({ phase: 'running', isSilent: true });
  });

  test('still runs if its consumer is lost, or created again', async () => {
    const { finder, put, take, reports, lane, worker } = await openFinder();
    const call = await put();
    await take();
    reports.set(call.id, reportOf(call, 'running'));
    await worker.topology.removeLane(lane.queue, lane.function);
    const running = { phase: 'running', held: { retry: 0 } };
    expect(await finder.find({ callId: call.id })).toMatchObject(running);
    await worker.topology.ensureFunction({ name: lane.function, queue: lane.queue, concurrency: undefined });
    const next = await put();
    expect(await finder.find({ callId: call.id })).toMatchObject(running);
    expect(await finder.find({ callId: next.id })).toMatchObject({ phase: 'queued' });
    reports.clear();
    expect(await finder.find({ callId: call.id })).toMatchObject({ ...running, isSilent: true });
  });

  test('that was never handed out waits, even if its consumer is created again', async () => {
    const { finder, put, lane, worker } = await openFinder();
    const call = await put();
    await worker.topology.removeLane(lane.queue, lane.function);
    await worker.topology.ensureFunction({ name: lane.function, queue: lane.queue, concurrency: undefined });
    expect(await finder.find({ callId: call.id })).toMatchObject({ kind: 'active', phase: 'queued' });
  });

  test('that leaves its worker during the lookup is looked up again', async () => {
    const { finder, put, take, store, reports, settle } = await openFinder();
    const call = await put();
    const delivery = await take();
    let asked = 0;
    Object.defineProperty(reports, 'get', {
      value: () => {
        asked += 1;
        // The outcome comes between the lookup of outcomes and the question to the worker.
        void store.recordOutcome(outcomeOf(call), Buffer.from('')).then(() => settle(delivery));
        return reportOf(call, 'left');
      },
    });
    expect(await finder.find({ callId: call.id })).toMatchObject({ kind: 'ended', outcome: { status: 'succeeded' } });
    expect(asked).toBeGreaterThan(0);
  });

  test('that is replayed is active again, and its earlier end is history', async () => {
    const { finder, put, store } = await openFinder();
    const call = await put({ generation: 1 });
    await store.recordOutcome(outcomeOf(call, { generation: 0, status: 'failed' }), Buffer.from(''));
    expect(await finder.find({ callId: call.id })).toMatchObject({
      kind: 'active',
      phase: 'queued',
      call: { generation: 1 },
    });
    await store.recordOutcome(outcomeOf(call), Buffer.from(''));
    expect(await finder.find({ callId: call.id })).toMatchObject({ kind: 'ended', outcome: { generation: 1 } });
  });

  test('in a queue that is new is found', async () => {
    const first = await openFinder();
    expect(await first.finder.find({ callId: 'unknown' })).toBeUndefined();
    const second = await openFinder();
    const call = await second.put();
    expect(await first.finder.find({ callId: call.id })).toMatchObject({
      kind: 'active',
      call: { queue: second.queue },
    });
  });

  test('whose end could not be recorded is known from its dead letter', async () => {
    const { finder, put, store, take, settle } = await openFinder();
    const call = await put({ callbackUrl: 'http://receiver.test/' });
    const delivery = await take();
    await bury({ calls: store }, call, { reason: 'retries_exhausted', attempts: 3 });
    await settle(delivery);
    const outcome = { status: 'failed', reason: 'retries_exhausted', attempts: 3, bodyOmitted: 'not_recorded' };
    expect(await finder.find({ callId: call.id })).toMatchObject({ kind: 'ended', outcome });
  });

  test('that ended longer ago than results are kept is not known', async () => {
    const { finder, put, store, take, settle } = await openFinder({ resultTtlMs: 500 });
    const call = await put();
    await settle(await take());
    await store.recordOutcome(outcomeOf(call), Buffer.from(''));
    await eventually(async () => (await finder.find({ callId: call.id })) === undefined);
  });

  test('that a worker with a clock an hour behind has ended is known as long as any other', async () => {
    const { finder, put, store, take, settle } = await openFinder({ resultTtlMs: 60_000 });
    const call = await put();
    await settle(await take());
    await store.recordOutcome(outcomeOf(call, { endedAt: Date.now() - 3_600_000 }), Buffer.from(''));
    expect(await finder.find({ callId: call.id })).toMatchObject({ kind: 'ended' });
  });
});
