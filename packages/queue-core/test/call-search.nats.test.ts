import { expect, test } from 'vitest';
import type { Call, CallFilter, CallState } from '../src/index.ts';
import { CallSearch, LivingCalls, type SearchPage } from '../src/jetstream/index.ts';
import { openFinder, reportOf } from './call-fixture.ts';
import { outcomeOf } from './dead-letter-fixture.ts';
import { buildCall } from './harness.ts';

async function openSearch(options: Parameters<typeof openFinder>[0] = {}) {
  const opened = await openFinder(options);
  const { finder, store, gateway, queue } = opened;
  const { broker, topology } = gateway;
  const resultTtlMs = options?.resultTtlMs ?? 3_600_000;
  const search = new CallSearch({ broker, topology, finder, calls: store, resultTtlMs, now: broker.clock.now });
  const living = new LivingCalls({ topology, finder, now: broker.clock.now });
  const list = (filter: CallFilter = {}, limit = 100) => search.list({ queue, ...filter }, { limit });
  const pages = async (filter: CallFilter, limit: number): Promise<SearchPage[]> => {
    const all: SearchPage[] = [];
    for (let from: SearchPage['next']; all.length === 0 || from !== undefined; from = all.at(-1)?.next) {
      all.push(await search.list({ queue, ...filter }, { limit, from }));
    }
    return all;
  };
  return { ...opened, search, living, list, pages };
}

function idOf(state: CallState): string {
  return state.kind === 'active' ? state.call.id : state.outcome.callId;
}

function show({ calls }: Pick<SearchPage, 'calls'>): string[] {
  return calls.map((state) => `${idOf(state)} ${state.kind === 'active' ? state.phase : state.outcome.status}`);
}

/** Unix time in nanoseconds, so many seconds before now. */
function ago(seconds: number): string {
  return `${Date.now() - seconds * 1_000}000000`;
}

test('calls are listed by when they were accepted, whatever has become of them', async () => {
  const { list, put, take, settle, store, reports } = await openSearch();
  const retried = await put({ id: 'retried', startTime: ago(50) });
  const first = await take();
  await store.scheduleRetry(first, { ...retried, retry: 1, startedAt: Date.now() }, Date.now() + 60_000);
  await settle(first);
  const running = await put({ id: 'running', startTime: ago(40) });
  await take();
  reports.set('running', reportOf(running, 'running'));
  const failed = await put({ id: 'failed', startTime: ago(30) });
  const third = await take();
  await store.recordOutcome(outcomeOf(failed, { status: 'failed', reason: 'rejected' }), Buffer.from('no'));
  await settle(third);
  await put({ id: 'later', startTime: ago(20), notBefore: Date.now() + 60_000 });
  await put({ id: 'waiting', startTime: ago(10) });
  const expected = ['waiting queued', 'later scheduled', 'failed failed', 'running running', 'retried retrying'];
  const page = await list();
  expect(show(page)).toEqual(expected);
  expect(page).toMatchObject({ next: undefined, complete: true });
  for (const [index, status] of (['queued', 'scheduled', 'failed', 'running', 'retrying'] as const).entries()) {
    expect(show(await list({ statuses: new Set([status]) }))).toEqual([expected[index]]);
  }
  expect(show(await list({ statuses: new Set(['failed', 'running']) }))).toEqual(['failed failed', 'running running']);
});

test('each filter selects what it names', async () => {
  const { list, put, take, settle, store } = await openSearch();
  const labels = ['customer=7', 'nightly'];
  const ended = await put({
    id: 'ended',
    startTime: ago(30),
    labels,
    flow: { key: 'orders/7' },
    parentId: 'mother',
    batch: { id: 'b-1', index: 3 },
  });
  const delivery = await take();
  const outcome = outcomeOf(ended, { labels, flowKey: 'orders/7', parentId: 'mother', batch: { id: 'b-1', index: 3 } });
  await store.recordOutcome(outcome, Buffer.from(''));
  await settle(delivery);
  await put({
    id: 'waiting',
    startTime: ago(20),
    labels: ['customer=7'],
    flow: { key: 'orders/7' },
    batch: { id: 'b-1', index: 4 },
  });
  await put({
    id: 'other',
    startTime: ago(10),
    labels: ['customer=70'],
    flow: { key: 'orders/70' },
    parentId: 'another',
  });
  const ids = async (filter: CallFilter) => (await list(filter)).calls.map(idOf);
  expect(await ids({ label: 'customer=7' })).toEqual(['waiting', 'ended']);
  expect(await ids({ label: 'nightly' })).toEqual(['ended']);
  expect(await ids({ label: 'customer' })).toEqual([]);
  expect(await ids({ flowKey: 'orders/7' })).toEqual(['waiting', 'ended']);
  expect(await ids({ flowKey: 'orders' })).toEqual([]);
  expect(await ids({ parentId: 'mother' })).toEqual(['ended']);
  expect(await ids({ batchId: 'b-1' })).toEqual(['waiting', 'ended']);
  expect(await ids({ functions: ['echo'] })).toEqual(['other', 'waiting', 'ended']);
  expect(await ids({ functions: ['echo'], covers: (name) => name !== 'echo' })).toEqual([]);
  expect(await ids({ functions: ['ech'] })).toEqual([]);
  expect(await ids({ fromMs: Date.now() - 25_000 })).toEqual(['other', 'waiting']);
  expect(await ids({ toMs: Date.now() - 15_000 })).toEqual(['waiting', 'ended']);
  expect(await ids({ fromMs: Date.now() - 25_000, toMs: Date.now() - 15_000 })).toEqual(['waiting']);
  expect(await ids({ fromMs: -1_000 })).toEqual(['other', 'waiting', 'ended']);
  expect(await ids({ fromMs: -1_000, toMs: -1 })).toEqual([]);
  expect(await ids({ label: 'customer=7', statuses: new Set(['queued']) })).toEqual(['waiting']);
});

test('pages have each call once, while calls of one moment arrive, end and are retried', async () => {
  const { pages, put, take, settle, store, search, queue } = await openSearch();
  const startTime = ago(30);
  const ids = Array.from({ length: 40 }, (_, index) => `batch-${index}`);
  const stored = new Map<string, Call>();
  for (const id of ids) {
    stored.set(id, await put({ id, startTime }));
  }
  const all = await pages({}, 7);
  expect(all.flatMap(({ calls }) => calls.map(idOf)).toSorted()).toEqual(ids.toSorted());
  expect(all.map(({ calls }) => calls.length)).toEqual([7, 7, 7, 7, 7, 5]);

  const seen: string[] = [];
  for (let from: SearchPage['next'], page = 0; page === 0 || from !== undefined; page++) {
    const { calls, next } = await search.list({ queue }, { limit: 5, from });
    seen.push(...calls.map(idOf));
    from = next;
    const delivery = await take();
    const call = stored.get(delivery.callId);
    if (page % 2 === 0 && call !== undefined) {
      await store.recordOutcome(outcomeOf(call), Buffer.from(''));
    } else if (call !== undefined) {
      await store.scheduleRetry(delivery, { ...call, retry: 1, startedAt: Date.now() }, Date.now());
    }
    await settle(delivery);
    const fresh = await put({ id: `new-${page}` });
    stored.set(fresh.id, fresh);
  }
  expect(seen.filter((id) => id.startsWith('batch-')).toSorted()).toEqual(ids.toSorted());
  expect(new Set(seen).size).toBe(seen.length);
});

test('calls that were retried again and again leave no other call out', async () => {
  const { list, put, take, settle, store } = await openSearch();
  // As long as it is the first one, the index does not see that messages behind it are gone.
  await put({ id: 'first', startTime: ago(60), notBefore: Date.now() + 60_000 });
  for (const age of [30, 31, 32, 33, 34]) {
    const call = await put({ id: `ended-${age}`, startTime: ago(age) });
    const delivery = await take();
    await store.recordOutcome(outcomeOf(call), Buffer.from(''));
    await settle(delivery);
  }
  const retried = ['retried-1', 'retried-2', 'retried-3'];
  const calls = new Map<string, Call>();
  for (const [index, id] of retried.entries()) {
    calls.set(id, await put({ id, startTime: ago(10 + index) }));
  }
  for (let retry = 1; retry <= 3; retry++) {
    for (const _ of retried) {
      const delivery = await take();
      const call = calls.get(delivery.callId);
      const next = call && { ...call, retry, startedAt: Date.now() };
      await store.scheduleRetry(delivery, next!, Date.now() + (retry < 3 ? 300 : 60_000));
      await settle(delivery);
      // The index learns of the message, and not that it is gone when the retry is due.
      await list({ functions: ['nothing'] });
    }
  }
  for (const age of [20, 21]) {
    await put({ id: `delayed-${age}`, startTime: ago(age), notBefore: Date.now() + 60_000 });
  }
  expect((await list({}, 5)).calls.map(idOf)).toEqual([...retried, 'delayed-20', 'delayed-21']);
});

test('a call that was replayed is listed once, as it is now', async () => {
  const { list, put, take, settle, store } = await openSearch();
  const call = await put({ id: 'again', startTime: ago(30) });
  const first = await take();
  await store.recordOutcome(outcomeOf(call, { status: 'failed', reason: 'rejected' }), Buffer.from(''));
  await settle(first);
  await put({ ...call, generation: 1 });
  expect(show(await list())).toEqual(['again queued']);
  expect(show(await list({ statuses: new Set(['failed']) }))).toEqual([]);
  const second = await take();
  await store.recordOutcome(outcomeOf({ ...call, generation: 1 }), Buffer.from(''));
  await settle(second);
  expect(show(await list())).toEqual(['again succeeded']);
});

test('what is erased or forgotten is not listed', async () => {
  const { list, put, take, settle, store } = await openSearch({ resultTtlMs: 1 });
  const call = await put({ id: 'old', startTime: ago(30) });
  const delivery = await take();
  await store.recordOutcome(outcomeOf(call), Buffer.from(''));
  await settle(delivery);
  expect(show(await list())).toEqual([]);
  const kept = await openSearch();
  const other = await kept.put({ id: 'erased', startTime: ago(30) });
  const second = await kept.take();
  await kept.store.recordOutcome(outcomeOf(other), Buffer.from(''));
  await kept.settle(second);
  expect(show(await kept.list())).toEqual(['erased succeeded']);
  const found = await kept.store.findOutcome(outcomeOf(other));
  await kept.store.replaceOutcome(found!, { ...outcomeOf(other), erased: true });
  expect(show(await kept.list())).toEqual([]);
});

test('a result of any size is listed with its call', async () => {
  const { list, put, take, settle, store } = await openSearch();
  const call = await put({ id: 'large', startTime: ago(30) });
  const delivery = await take();
  await store.recordOutcome(outcomeOf(call), Buffer.alloc(200_000, 'x'));
  await settle(delivery);
  const [ended] = (await list()).calls;
  expect(ended).toMatchObject({ kind: 'ended', outcome: { callId: 'large' }, storedAt: expect.any(Number) });
  expect(show(await list({ statuses: new Set(['succeeded']) }))).toEqual(['large succeeded']);
});

test('a page of fat calls ends early, and the next one goes on', async () => {
  const { pages, put } = await openSearch();
  const headers: Call['headers'] = [['X-Fat', 'x'.repeat(28_000)]];
  const ids = Array.from({ length: 300 }, (_, index) => `fat-${index}`);
  const begin = Date.now() - 60_000;
  await Promise.all(ids.map((id, index) => put({ id, headers, startTime: `${begin + index}000000` })));
  const all = await pages({}, 1_000);
  expect(all.flatMap(({ calls }) => calls.map(idOf))).toEqual(ids.toReversed());
  expect(all.map(({ complete }) => complete)).toEqual([false, true]);
  expect(all[0]?.calls.length).toBeGreaterThan(100);
  expect((await pages({}, 100)).map(({ calls, complete }) => [calls.length, complete])).toEqual([
    [100, true],
    [100, true],
    [100, true],
  ]);
});

test('thousands of waiting calls are listed page by page, and their index is dropped when no search uses it', async () => {
  let now = 0;
  const { gateway, finder, store, queue } = await openFinder();
  const { broker, topology } = gateway;
  const common = { broker, topology, finder, calls: store, resultTtlMs: 3_600_000 };
  const search = new CallSearch({ ...common, now: broker.clock.now, monotonicNow: () => now });
  const begin = Date.now() - 60_000;
  const put = (index: number) =>
    gateway.queue.accept(buildCall(queue, { id: `call-${index}`, startTime: `${begin + index}000000` }), {
      unique: false,
    });
  const ids = Array.from({ length: 3_000 }, (_, index) => `call-${index}`);
  await Promise.all(ids.map((_, index) => put(index)));
  const statuses: CallFilter['statuses'] = new Set(['queued']);
  const newest = await search.list({ queue, statuses }, { limit: 10 });
  expect(newest.calls.map(idOf)).toEqual(ids.slice(-10).toReversed());
  const found: string[] = [];
  for (let from: SearchPage['next'], page = 0; page === 0 || from !== undefined; page++) {
    const part = await search.list({ queue, statuses }, { limit: 700, from });
    found.push(...part.calls.map(idOf));
    from = part.next;
  }
  expect(found).toEqual(ids.toReversed());
  expect(search.size).toBe(3_000);

  // Each look at this clock is much later: a search is cut after a step or two.
  let lateMs = 0;
  const monotonicNow = (): number => {
    lateMs += 6_000;
    return lateMs;
  };
  const hasty = new CallSearch({ ...common, now: broker.clock.now, monotonicNow });
  const rare: CallFilter = { queue, statuses, toMs: begin + 100, fromMs: begin + 50 };
  const first = await hasty.list(rare, { limit: 10 });
  expect(first).toMatchObject({ calls: [], complete: false, next: expect.anything() });
  const late: string[] = [];
  for (let page: SearchPage | undefined = first; page !== undefined; ) {
    late.push(...page.calls.map(idOf));
    page = page.next && (await hasty.list(rare, { limit: 10, from: page.next }));
  }
  expect(late).toEqual(ids.slice(50, 101).toReversed());

  now += 299_000;
  await search.tend(new AbortController().signal);
  expect(search.size).toBe(3_000);
  now += 2_000;
  await search.tend(new AbortController().signal);
  expect(search.size).toBe(0);
});

test('living calls are read from their queues, with the bodies', async () => {
  const { living, put, take, reports, queue } = await openSearch();
  const running = await put({ id: 'running', startTime: ago(40), labels: ['a'] });
  await take();
  reports.set('running', reportOf(running, 'running'));
  await put({ id: 'waiting', startTime: ago(30), labels: ['a'] });
  await put({ id: 'other', startTime: ago(20), labels: ['b'] });
  await put({ id: 'later', startTime: ago(10), notBefore: Date.now() + 60_000 });
  const read = async (filter: CallFilter) => {
    const found: string[] = [];
    for await (const part of living.each({ queue, ...filter })) {
      found.push(...part.map(({ queued, status }) => `${queued.call.id} ${status} ${queued.call.body.length > 0}`));
    }
    return found.toSorted();
  };
  const all = ['later scheduled true', 'other queued true', 'running delivered true', 'waiting queued true'];
  expect(await read({})).toEqual(all);
  expect(await read({ label: 'a' })).toEqual(all.slice(2));
  expect(await read({ statuses: new Set(['running']) })).toEqual(['running running true']);
  expect(await read({ statuses: new Set(['queued']) })).toEqual(['other queued true', 'waiting queued true']);
  expect(await read({ statuses: new Set(['failed']) })).toEqual([]);
});
