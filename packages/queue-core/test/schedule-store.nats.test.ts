import { randomBytes } from 'node:crypto';
import { eventually } from '@asyncfn/testkit';
import { expect, inject, onTestFinished, test } from 'vitest';
import { LostMoments, type MomentDelivery, MomentSource, ScheduleStore } from '../src/jetstream/index.ts';
import type { Moment, ScheduleEntry, ScheduleRun } from '../src/schedules/index.ts';
import { startGatewaySide } from './harness.ts';

async function open() {
  const side = await startGatewaySide(inject('natsUrl'));
  onTestFinished(() => side[Symbol.asyncDispose]());
  const { publisher, topology } = side;
  const store = new ScheduleStore(publisher, topology);
  const name = `s-${randomBytes(6).toString('hex')}`;
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const received: MomentDelivery[] = [];
  const source = new MomentSource({ topology, ackWaitMs: 30_000 });
  /** Those of this test: the server is shared, and each file has schedules of its own. */
  const fetchOnce = () => source.fetch(10, (delivery) => void received.push(delivery), stop.signal);
  const next = async (count: number): Promise<MomentDelivery> => {
    void fetchOnce();
    return await eventually(() => received[count]);
  };
  return { store, name, next, topology };
}

function entryOf(name: string, series = 's1'): ScheduleEntry {
  return {
    name,
    source: 'api',
    paused: false,
    createdAt: 1_000,
    series,
    settings: { function: 'f', every: '1m' },
    template: { path: '', query: '', headers: [] },
  };
}

function momentOf(name: string, at: number, series = 's1'): Moment {
  return { v: 1, name, series, at };
}

function runOf(at: number): ScheduleRun {
  return { callId: `call-${at}`, startTime: '1700000000000000000', at, function: 'f', queue: 'q' };
}

test('a schedule is stored with its first moment, which comes when it is due', async () => {
  const { store, name, next } = await open();
  const moment = momentOf(name, 60_000);
  const stored = await store.put(entryOf(name), 0, { moment, dueAt: Date.now() + 300 });
  expect(stored.kind).toBe('stored');
  expect(await store.read(name)).toMatchObject({ name, content: entryOf(name) });
  expect((await store.names()).withMoment.has(name)).toBe(true);
  const delivery = await next(0);
  expect(delivery.task).toEqual(moment);
  expect(Math.abs(Number(delivery.dueSince) / 1e6 - Date.now())).toBeLessThan(60_000);
  delivery.ack();
});

test('of two changes at once one is stored, with its moment', async () => {
  const { store, name } = await open();
  const put = (series: string) =>
    store.put(entryOf(name, series), 0, { moment: momentOf(name, 1, series), dueAt: Date.now() + 3_600_000 });
  const results = await Promise.all([put('a'), put('b'), put('c')]);
  expect(results.filter(({ kind }) => kind === 'stored')).toHaveLength(1);
  expect(results.filter((each) => each.kind === 'refused' && each.reason === 'conflict')).toHaveLength(2);
});

test('a moment is followed by the next one once, whichever worker has it', async () => {
  const { store, name, next } = await open();
  await store.put(entryOf(name), 0, { moment: momentOf(name, 1), dueAt: Date.now() });
  const delivery = await next(0);
  const [one, other] = await Promise.all([1, 2].map(() => store.basisOf(momentOf(name, 1), delivery.streamSequence)));
  const before = await store.readRuns(name);
  const follow = (found: typeof one) => {
    const basis = found?.kind === 'current' ? found.basis : Number.NaN;
    const later = { moment: momentOf(name, 2), dueAt: Date.now() + 3_600_000 };
    return store.follow({ name, basis, next: later, run: { added: runOf(1), before } });
  };
  expect(await follow(one)).toMatchObject({ kind: 'stored' });
  expect(await follow(other)).toMatchObject({ kind: 'refused', reason: 'conflict' });
  expect(await store.basisOf(momentOf(name, 1), delivery.streamSequence)).toEqual({ kind: 'obsolete' });
  expect((await store.readRuns(name)).runs).toEqual([runOf(1)]);
  delivery.ack();
});

test('a change of the schedule makes a moment that a worker has be decided again, or obsolete', async () => {
  const { store, name, next } = await open();
  const first = await store.put(entryOf(name), 0, { moment: momentOf(name, 1), dueAt: Date.now() });
  const delivery = await next(0);
  const found = await store.basisOf(momentOf(name, 1), delivery.streamSequence);
  const revision = first.kind === 'stored' ? (await store.read(name))!.revision : 0;
  const changed = { ...entryOf(name), settings: { function: 'g', every: '1m' } };
  expect(await store.put(changed, revision, undefined)).toMatchObject({ kind: 'stored' });
  const later = { moment: momentOf(name, 2), dueAt: Date.now() + 3_600_000 };
  const basis = found.kind === 'current' ? found.basis : 0;
  expect(await store.follow({ name, basis, next: later })).toMatchObject({ reason: 'conflict' });

  const again = await store.basisOf(momentOf(name, 1), delivery.streamSequence);
  expect(again).toMatchObject({ kind: 'current', entry: changed });
  const newBasis = again.kind === 'current' ? again.basis : 0;
  expect(await store.follow({ name, basis: newBasis, next: later })).toMatchObject({ kind: 'stored' });
  // The schedule is newer than the moment, and the next moment older than a second change of it.
  const stored = (await store.read(name))!;
  expect(await store.put(entryOf(name), stored.revision, undefined)).toMatchObject({ kind: 'stored' });
  expect(await store.basisOf(momentOf(name, 1), delivery.streamSequence)).toEqual({ kind: 'obsolete' });
  expect(await store.basisOf(momentOf(name, 1, 'other'), delivery.streamSequence)).toEqual({ kind: 'obsolete' });
  delivery.ack();
});

test('a moment is obsolete once the next one is due, even if the schedule was changed after that', async () => {
  const { store, name, next } = await open();
  await store.put(entryOf(name), 0, { moment: momentOf(name, 1), dueAt: Date.now() });
  const first = await next(0);
  const found = await store.basisOf(momentOf(name, 1), first.streamSequence);
  const basis = found.kind === 'current' ? found.basis : 0;
  await store.follow({ name, basis, next: { moment: momentOf(name, 2), dueAt: Date.now() } });
  first.ack();
  const second = await next(1);
  const { revision } = (await store.read(name))!;
  await store.put({ ...entryOf(name), createdAt: 2 }, revision, undefined);
  expect(await store.basisOf(momentOf(name, 1), first.streamSequence)).toEqual({ kind: 'obsolete' });
  expect(await store.basisOf(momentOf(name, 2), second.streamSequence)).toMatchObject({ kind: 'current' });
  second.ack();
});

test('a removed schedule has no moments and no calls, and its name may be used again', async () => {
  const { store, name } = await open();
  const later = { moment: momentOf(name, 1), dueAt: Date.now() + 3_600_000 };
  await store.put(entryOf(name), 0, later);
  await store.addRun(name, runOf(1));
  const { revision } = (await store.read(name))!;
  expect(await store.remove(name, revision + 1)).toMatchObject({ reason: 'conflict' });
  expect(await store.remove(name, revision)).toMatchObject({ kind: 'stored' });
  expect((await store.readRuns(name)).runs).toEqual([]);
  expect((await store.names()).withMoment.has(name)).toBe(false);
  const removed = (await store.read(name))!;
  expect(removed.content).toBe('removed');
  expect(await store.put(entryOf(name), removed.revision, later)).toMatchObject({ kind: 'stored' });
});

test('all schedules are listed, in however many parts', async () => {
  const { store, name } = await open();
  const names = Array.from({ length: 300 }, (_, index) => `${name}-${index}`);
  await Promise.all(names.map((each) => store.put(entryOf(each), 0, undefined)));
  const found: string[] = [];
  for await (const part of store.list()) {
    found.push(...part.map((each) => each.name));
  }
  expect(found.filter((each) => each.startsWith(name)).sort()).toEqual(names.sort());
  await Promise.all(names.map(async (each) => store.remove(each, (await store.read(each))?.revision ?? 0)));
});

test('the calls of a schedule are remembered, newest first, up to ten, and once each', async () => {
  const { store, name } = await open();
  await Promise.all([1, 2, 3].map((at) => store.addRun(name, runOf(at))));
  expect(new Set((await store.readRuns(name)).runs.map(({ at }) => at))).toEqual(new Set([1, 2, 3]));
  for (let at = 4; at < 15; at++) {
    await store.addRun(name, runOf(at));
  }
  await store.addRun(name, runOf(14));
  expect((await store.readRuns(name)).runs.map(({ at }) => at)).toEqual([14, 13, 12, 11, 10, 9, 8, 7, 6, 5]);
});

test('a schedule that has lost its next moment gets one, unless it is paused, and others keep theirs', async () => {
  const { store, name } = await open();
  const [lost, paused, fine] = ['lost', 'paused', 'fine'].map((kind) => `${name}-${kind}`) as [string, string, string];
  const later = { moment: momentOf(fine, 60_000), dueAt: Date.now() + 3_600_000 };
  const results = await Promise.all([
    store.put(entryOf(lost), 0, undefined),
    store.put({ ...entryOf(paused), paused: true }, 0, undefined),
    store.put(entryOf(fine), 0, later),
  ]);
  expect(results.every(({ kind }) => kind === 'stored')).toBe(true);
  const lostMoments = new LostMoments({
    read: (each) => store.read(each),
    follow: (step) => store.follow(step),
    async names() {
      const { all, withMoment } = await store.names();
      return { all: new Set([...all].filter((each) => each.startsWith(name))), withMoment };
    },
  });
  await lostMoments.restore(Date.now());
  expect((await store.names()).withMoment.has(lost)).toBe(false);
  await lostMoments.restore(Date.now());
  const { withMoment } = await store.names();
  expect([lost, paused, fine].map((each) => withMoment.has(each))).toEqual([true, false, true]);
  expect(await lostMoments.restore(Date.now())).toBe(0);
});
