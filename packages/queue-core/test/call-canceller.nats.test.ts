import { describe, expect, test, vi } from 'vitest';
import { keyOf, type PublishResult } from '../src/index.ts';
import { CallCanceller } from '../src/jetstream/index.ts';
import { openFinder, reportOf } from './call-fixture.ts';
import { outcomeOf } from './dead-letter-fixture.ts';
import { buildCall } from './harness.ts';
import { storedIn } from './stored-calls.ts';

const body = Buffer.from('the same each time');

type Parts = Awaited<ReturnType<typeof openFinder>>['parts'];

/** A gateway that dies when it gets to `at`. */
function dying(parts: Parts, at: 'recordOutcome' | 'remove' | 'removeAll') {
  const die = (): Promise<never> => Promise.reject(new Error('dead'));
  const { calls, remover } = parts;
  return new CallCanceller({
    ...parts,
    calls: {
      recordOutcome: at === 'recordOutcome' ? die : (outcome, body) => calls.recordOutcome(outcome, body),
      findOutcome: (of) => calls.findOutcome(of),
      renewOutcome: (ended) => calls.renewOutcome(ended),
      putBack: (call, startedAt, lastSequence) => calls.putBack(call, startedAt, lastSequence),
    },
    remover: {
      remove: at === 'remove' ? die : (queued) => remover.remove(queued),
      removeAll: at === 'removeAll' ? die : (subject) => remover.removeAll(subject),
      isDelivered: (queued) => remover.isDelivered(queued),
    },
  });
}

/** A gateway that is overtaken by other events between its check of the consumer and its removal of the message. */
function overtaken(parts: Parts, meanwhile: () => Promise<unknown>) {
  const { remover } = parts;
  return new CallCanceller({
    ...parts,
    remover: {
      isDelivered: (queued) => remover.isDelivered(queued),
      removeAll: (subject) => remover.removeAll(subject),
      async remove(queued) {
        await meanwhile();
        return remover.remove(queued);
      },
    },
  });
}

/** A gateway whose broker does not store that the call has ended. */
function unconfirmed(parts: Parts, reason: 'undecided' | 'conflict') {
  const { calls } = parts;
  const publish = async (): Promise<PublishResult> => ({ kind: 'refused', reason, detail: 'wrong last sequence' });
  return new CallCanceller({
    ...parts,
    calls: {
      recordOutcome: publish,
      findOutcome: (of) => calls.findOutcome(of),
      renewOutcome: publish,
      putBack: publish,
    },
  });
}

const soon = (): number => Date.now() + 11_000;

describe('a cancelled call', () => {
  test('that waits for its turn is gone from the queue, and its end is recorded', async () => {
    const bench = await openFinder();
    const call = await bench.put({ callbackUrl: 'http://receiver.test/' });
    const result = await bench.canceller.cancel({ callId: call.id });
    expect(result).toMatchObject({ kind: 'cancelled', call: { outcome: { status: 'cancelled', attempts: 0 } } });
    expect(await bench.stored()).toBe(0);
    expect(await bench.finder.find({ callId: call.id })).toMatchObject({
      kind: 'ended',
      outcome: { status: 'cancelled' },
    });
    expect(await bench.deliveredSoon()).toBe(0);
    expect(await bench.parts.intents.find({ callId: call.id })).toBeUndefined();
    const again = await bench.canceller.cancel({ callId: call.id });
    expect(again).toMatchObject({ kind: 'ended', call: { outcome: { status: 'cancelled' } } });
  });

  test('is held whole for that long, and is left alone if there is no room for it', async () => {
    const bench = await openFinder();
    const call = await bench.put({ body: Buffer.alloc(100_000, 'x') });
    const refused = await bench.canceller.cancel({ callId: call.id }, () => undefined);
    expect(refused).toMatchObject({ kind: 'refused', reason: 'overloaded' });
    expect(await bench.stored()).toBe(1);
    const held: number[] = [];
    const hold = (bytes: number): Disposable => {
      held.push(bytes);
      return { [Symbol.dispose]: () => void held.push(-bytes) };
    };
    expect(await bench.canceller.cancel({ callId: call.id }, hold)).toMatchObject({ kind: 'cancelled' });
    expect(held).toEqual([100_000, -100_000]);
  });

  test('that waits for a retry does not come back when its time comes', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const first = await bench.take();
    await bench.store.scheduleRetry(first, { ...call, retry: 1, startedAt: Date.now() }, Date.now() + 1_000);
    await bench.settle(first);
    const result = await bench.canceller.cancel({ callId: call.id });
    expect(result).toMatchObject({ kind: 'cancelled', call: { outcome: { status: 'cancelled', attempts: 1 } } });
    expect(await bench.stored()).toBe(0);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await bench.stored()).toBe(0);
    expect(await bench.deliveredSoon()).toBe(0);
  });

  test('that runs is aborted by its worker, and nothing that the worker does then counts', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const delivery = await bench.take();
    bench.reports.set(call.id, reportOf(call, 'running'));
    const result = await bench.canceller.cancel({ callId: call.id });
    expect(result).toMatchObject({ kind: 'cancelled', call: { outcome: { status: 'cancelled', attempts: 1 } } });
    expect(bench.cancelled).toEqual([`${call.id}/0`]);
    const retry = await bench.store.scheduleRetry(delivery, { ...call, retry: 1 }, Date.now());
    expect(retry).toMatchObject({ kind: 'refused', reason: 'conflict' });
    expect(await bench.store.recordOutcome(outcomeOf(call), Buffer.from(''))).toMatchObject({ reason: 'conflict' });
    expect(await bench.stored()).toBe(0);
  });

  test('whose worker is dead is not delivered again, and the answer does not wait for that worker', async () => {
    const bench = await openFinder({ ackWaitMs: 1_000 });
    const call = await bench.put();
    await bench.take();
    const startedAt = performance.now();
    expect(await bench.canceller.cancel({ callId: call.id })).toMatchObject({ kind: 'cancelled' });
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await bench.deliveredSoon()).toBe(0);
  });

  test('that has ended is not cancelled, and neither is an unknown one', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const delivery = await bench.take();
    await bench.store.recordOutcome(outcomeOf(call), Buffer.from('done'));
    const ended = { kind: 'ended', call: { outcome: { status: 'succeeded' } } };
    expect(await bench.canceller.cancel({ callId: call.id })).toMatchObject(ended);
    // The steps that are left after its end are done from the message.
    expect(await bench.stored()).toBe(1);
    await bench.settle(delivery);
    expect(await bench.canceller.cancel({ callId: call.id })).toMatchObject(ended);
    expect(await bench.canceller.cancel({ callId: 'unknown' })).toEqual({ kind: 'unknown' });
  });

  test('and its real end never both count, whichever comes first', async () => {
    const bench = await openFinder();
    const race = async (index: number) => {
      const call = await bench.put();
      if (index % 2 === 0) {
        await bench.parts.finder.findQueued({ callId: call.id });
      }
      const real = bench.store.recordOutcome(outcomeOf(call, { endedAt: Date.now() - 1 }), Buffer.from(''));
      const [result, recorded] = await Promise.all([bench.canceller.cancel({ callId: call.id }), real]);
      return { call, result, recorded };
    };
    const rounds = await Promise.all(Array.from({ length: 200 }, (_, index) => race(index)));
    for (const { call, result, recorded } of rounds) {
      const standing = await bench.finder.find({ callId: call.id });
      const wins = recorded.kind === 'stored' ? 'succeeded' : 'cancelled';
      expect(standing).toMatchObject({ kind: 'ended', outcome: { status: wins } });
      expect(result).toMatchObject({ kind: wins === 'cancelled' ? 'cancelled' : 'ended' });
    }
  });

  test('that is delivered and ends just before it is taken out of the queue is put back for the steps after its end', async () => {
    const bench = await openFinder();
    const call = await bench.put({ callbackUrl: 'http://receiver.test/' });
    const canceller = overtaken(bench.parts, async () => {
      await bench.take();
      await bench.store.recordOutcome(outcomeOf(call, { startedAt: 1_000 }), Buffer.from('done'));
    });
    expect(await canceller.cancel({ callId: call.id })).toMatchObject({
      kind: 'ended',
      call: { outcome: { status: 'succeeded' } },
    });
    const again = await bench.take();
    expect(again.call).toMatchObject({
      kind: 'call',
      call: { ...call, startedAt: 1_000, body: Buffer.from(call.body) },
    });
    expect(await bench.parts.intents.find({ callId: call.id })).toBeUndefined();
  });

  test('is put back beside the attempt before it, but not once its replay has begun', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const first = await bench.take();
    const retried = { ...call, retry: 1, startedAt: 1_000 };
    await bench.store.scheduleRetry(first, retried, Date.now() + 60_000);
    const end = () => bench.store.recordOutcome(outcomeOf(call), Buffer.from('done'));
    expect(await overtaken(bench.parts, end).cancel({ callId: call.id })).toMatchObject({ kind: 'ended' });
    expect(await bench.finder.findQueued({ callId: call.id })).toMatchObject({
      call: { retry: 1 },
      subject: { readiness: 'ready' },
    });
    expect(await bench.stored()).toBe(2);

    const other = await bench.put();
    const replayed = { ...other, generation: 1 };
    const goOn = async () => {
      await bench.store.recordOutcome(outcomeOf(other), Buffer.from('done'));
      const last = await bench.finder.findQueued({ callId: other.id });
      expect(await bench.store.putBack(replayed, 2_000, last!.sequence)).toMatchObject({ kind: 'stored' });
    };
    expect(await overtaken(bench.parts, goOn).cancel({ callId: other.id })).toMatchObject({ kind: 'ended' });
    expect(await bench.finder.findQueued({ callId: other.id })).toMatchObject({ call: { generation: 1 } });
    expect(await bench.stored()).toBe(3);
  });

  test('by many at once is cancelled by one of them', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const results = await Promise.all(Array.from({ length: 20 }, () => bench.canceller.cancel({ callId: call.id })));
    expect(results.filter(({ kind }) => kind === 'cancelled')).toHaveLength(1);
    expect(results.filter(({ kind }) => kind === 'ended')).toHaveLength(19);
  });
});

describe('a gateway that dies while it cancels a call', () => {
  test('that was taken out of the queue: the next lookup records its end', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    await expect(dying(bench.parts, 'recordOutcome').cancel({ callId: call.id })).rejects.toThrow('dead');
    expect(await bench.stored()).toBe(0);
    expect(await bench.finder.find({ callId: call.id })).toMatchObject({
      kind: 'ended',
      outcome: { status: 'cancelled' },
    });
  });

  test('that was taken out of the queue: the next sweep records its end, and not before its time', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    await expect(dying(bench.parts, 'recordOutcome').cancel({ callId: call.id })).rejects.toThrow('dead');
    await bench.sweeper.sweep(Date.now());
    expect(await bench.store.findOutcome(keyOf(call))).toBeUndefined();
    expect(await bench.sweeper.sweep(soon())).toBeGreaterThan(0);
    expect(await bench.store.findOutcome(keyOf(call))).toMatchObject({ outcome: { status: 'cancelled' } });
    expect(await bench.parts.intents.find({ callId: call.id })).toBeUndefined();
  });

  test('or that the replicas do not confirm: the answer says that it is unclear, and the next sweep records the end', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const result = await unconfirmed(bench.parts, 'undecided').cancel({ callId: call.id });
    expect(result).toMatchObject({ kind: 'refused', reason: 'undecided' });
    expect(await bench.stored()).toBe(0);
    await bench.sweeper.sweep(soon());
    expect(await bench.finder.find({ callId: call.id })).toMatchObject({
      kind: 'ended',
      outcome: { status: 'cancelled' },
    });
  });

  test('or whose end the broker reports in conflict with nothing: it has that end all the same', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const result = await unconfirmed(bench.parts, 'conflict').cancel({ callId: call.id });
    expect(result).toMatchObject({ kind: 'ended', call: { outcome: { status: 'cancelled' } } });
    expect(await bench.store.findOutcome(keyOf(call))).toMatchObject({ outcome: { status: 'cancelled' } });
  });

  test('that is still in the queue: it was not cancelled, and stays active', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    await expect(dying(bench.parts, 'remove').cancel({ callId: call.id })).rejects.toThrow('dead');
    expect(await bench.finder.find({ callId: call.id })).toMatchObject({ kind: 'active', phase: 'queued' });
    await bench.sweeper.sweep(soon());
    expect(await bench.parts.intents.find({ callId: call.id })).toBeUndefined();
    expect(await bench.finder.find({ callId: call.id })).toMatchObject({ kind: 'active', phase: 'queued' });
    expect((await bench.take()).callId).toBe(call.id);
  });

  test('that was taken out of the queue as a retry: the attempt before, on its way out, is not taken for it', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const first = await bench.take();
    await bench.store.scheduleRetry(first, { ...call, retry: 1, startedAt: Date.now() }, Date.now() + 60_000);
    await expect(dying(bench.parts, 'recordOutcome').cancel({ callId: call.id })).rejects.toThrow('dead');
    expect(await bench.stored()).toBe(1);
    await bench.sweeper.sweep(soon());
    await bench.settle(first);
    expect(await bench.store.findOutcome(keyOf(call))).toMatchObject({ outcome: { status: 'cancelled' } });
    expect(await bench.stored()).toBe(0);
  });

  test('whose intent only a replica shows that is behind: the call may have ended and be forgotten', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    await expect(dying(bench.parts, 'recordOutcome').cancel({ callId: call.id })).rejects.toThrow('dead');
    const { manager } = bench.gateway.topology;
    const intent = await bench.parts.intents.find({ callId: call.id });
    const shown = await manager.direct.getMessage('CANCELS', { seq: intent!.sequence });
    await bench.parts.intents.drop(intent!);
    vi.spyOn(manager.direct, 'getMessage').mockResolvedValueOnce(shown);
    await bench.sweeper.sweep(soon());
    expect(await bench.store.findOutcome(keyOf(call))).toBeUndefined();
  });

  test('that was delivered: its next worker finds its end, and the sweep removes it', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    await bench.take();
    await expect(dying(bench.parts, 'removeAll').cancel({ callId: call.id })).rejects.toThrow('dead');
    expect(await bench.stored()).toBe(1);
    expect(await bench.finder.find({ callId: call.id })).toMatchObject({
      kind: 'ended',
      outcome: { status: 'cancelled' },
    });
    await bench.sweeper.sweep(soon());
    expect(await bench.stored()).toBe(0);
  });
});

describe('a purge', () => {
  test('cancels waiting calls, and leaves alone running calls, later ones and other functions', async () => {
    const bench = await openFinder();
    const held = await bench.put();
    const delivery = await bench.take();
    bench.reports.set(held.id, reportOf(held, 'running'));
    const waiting = await Promise.all(Array.from({ length: 700 }, () => bench.put()));
    const other = await bench.put({ function: 'other' });
    const purged = await bench.purge.purge({ queue: bench.queue, function: 'echo' });
    const later = await bench.put();
    expect(purged).toBe(700);
    for (let from = 0; from < waiting.length; from += 50) {
      const some = waiting.slice(from, from + 50);
      const found = await Promise.all(some.map(({ id }) => bench.finder.find({ callId: id })));
      expect(found).toMatchObject(some.map(() => ({ kind: 'ended', outcome: { status: 'cancelled' } })));
    }
    for (const { id } of [held, other, later]) {
      expect(await bench.finder.find({ callId: id })).toMatchObject({ kind: 'active' });
    }
    expect(await bench.stored()).toBe(3);
    await bench.settle(delivery);
    expect((await bench.take()).callId).toBe(later.id);
  });

  test('takes calls that the replica that answers does not show yet', async () => {
    const bench = await openFinder();
    await Promise.all([bench.put(), bench.put()]);
    vi.spyOn(bench.gateway.topology.manager.direct, 'getBatch').mockImplementationOnce(async () => {
      throw Object.assign(new Error('message not found'), { code: 404 });
    });
    expect(await bench.purge.purge({ queue: bench.queue })).toBe(2);
    expect(await bench.stored()).toBe(0);
  });

  test('leaves alone a call whose worker takes long to say that it runs it', async () => {
    const bench = await openFinder();
    const slow = await bench.put();
    await bench.take();
    bench.answer(slow, [{ report: reportOf(slow, 'running'), afterMs: 800 }]);
    expect(await bench.purge.purge({ queue: bench.queue })).toBe(0);
    expect(await bench.finder.find({ callId: slow.id })).toMatchObject({ kind: 'active', phase: 'running' });
    expect(bench.cancelled).toEqual([]);
  });

  test('leaves alone a call that runs while its consumer is created again', async () => {
    const bench = await openFinder();
    const held = await bench.put();
    await bench.take();
    bench.reports.set(held.id, reportOf(held, 'running'));
    await bench.worker.topology.removeLane(bench.queue, 'echo');
    await bench.worker.topology.ensureFunction({ name: 'echo', queue: bench.queue, concurrency: undefined });
    expect(await bench.purge.purge({ queue: bench.queue })).toBe(0);
    expect(bench.cancelled).toEqual([]);
  });

  test('takes a call that a worker has handed back, and one whose worker is dead', async () => {
    const bench = await openFinder({ ackWaitMs: 1_000 });
    const calls = [await bench.put(), await bench.put()];
    const givenBack = await bench.take();
    await bench.take();
    givenBack.nak();
    bench.worker.source.flush();
    await bench.worker.broker.connection?.flush();
    expect(await bench.purge.purge({ queue: bench.queue })).toBe(2);
    for (const { id } of calls) {
      expect(await bench.finder.find({ callId: id })).toMatchObject({
        kind: 'ended',
        outcome: { status: 'cancelled' },
      });
    }
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect([await bench.stored(), await bench.deliveredSoon()]).toEqual([0, 0]);
  });

  test('keeps idempotency keys: the same call again is not stored again', async () => {
    const bench = await openFinder();
    const key = `key-${bench.queue}`;
    const accept = () => bench.gateway.queue.accept(buildCall(bench.queue, { body }), { unique: false, key });
    expect(await accept()).toMatchObject({ kind: 'stored' });
    await bench.put({ notBefore: Date.now() + 3_600_000 });
    expect(await bench.purge.purge({ queue: bench.queue })).toBe(2);
    expect(await accept()).toMatchObject({ kind: 'replayed' });
    const stored = await storedIn(bench.gateway.topology.manager, bench.queue);
    expect([stored.keys.length, stored.calls]).toEqual([1, []]);
  });

  test('of a queue takes all its functions, and waiting retries', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const first = await bench.take();
    await bench.store.scheduleRetry(first, { ...call, retry: 1, startedAt: Date.now() }, Date.now() + 60_000);
    await bench.settle(first);
    const other = await bench.put({ function: 'other' });
    expect(await bench.purge.purge({ queue: bench.queue })).toBe(2);
    expect(await bench.stored()).toBe(0);
    for (const { id } of [call, other]) {
      expect(await bench.finder.find({ callId: id })).toMatchObject({
        kind: 'ended',
        outcome: { status: 'cancelled' },
      });
    }
    expect(await bench.purge.purge({ queue: bench.queue })).toBe(0);
  });

  test('reports its progress, and can be cut short and continued', async () => {
    const bench = await openFinder();
    await Promise.all(Array.from({ length: 600 }, () => bench.put()));
    const progress: number[] = [];
    const stop = new AbortController();
    const onProgress = (purged: number): void => {
      progress.push(purged);
      stop.abort();
    };
    const first = await bench.purge.purge({ queue: bench.queue }, { signal: stop.signal, onProgress });
    expect(progress).toEqual([first]);
    expect(await bench.stored()).toBe(600 - first);
    expect(await bench.purge.purge({ queue: bench.queue })).toBe(600 - first);
  });
});

describe('a gateway that cancels after a check that was too long ago', () => {
  /** A gateway that stands still for six minutes after its check of the consumer, while other events happen. */
  function standing(parts: Parts, meanwhile: () => Promise<unknown>) {
    let passedMs = 0;
    const { remover } = parts;
    return new CallCanceller({
      ...parts,
      monotonicNow: () => performance.now() + passedMs,
      remover: {
        removeAll: (subject) => remover.removeAll(subject),
        remove: (queued) => remover.remove(queued),
        async isDelivered(queued) {
          const isDelivered = await remover.isDelivered(queued);
          if (passedMs === 0) {
            await meanwhile();
            passedMs = 6 * 60_000;
          }
          return isDelivered;
        },
      },
    });
  }

  test('checks again, and cancels a call that still exists', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const canceller = standing(bench.parts, async () => {});
    expect(await canceller.cancel({ callId: call.id })).toMatchObject({ kind: 'cancelled' });
    expect(await bench.stored()).toBe(0);
  });

  test('records no end for a call that has ended meanwhile, and whose end is forgotten', async () => {
    const bench = await openFinder();
    const call = await bench.put();
    const delivery = await bench.take();
    const canceller = standing(bench.parts, async () => {
      await bench.store.recordOutcome(outcomeOf(call), Buffer.from('done'));
      await bench.settle(delivery);
      await bench.gateway.topology.manager.streams.purge('OUTCOMES', { filter: `outcomes.${call.id}.>` });
    });
    expect(await canceller.cancel({ callId: call.id })).toEqual({ kind: 'unknown' });
    expect(await bench.store.findOutcome(keyOf(call))).toBeUndefined();
  });
});
