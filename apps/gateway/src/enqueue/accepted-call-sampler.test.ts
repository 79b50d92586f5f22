import type { PublishResult, ReceiptBatch } from '@asyncfn/queue-core';
import { expect, test } from 'vitest';
import { AcceptedCallSampler } from './accepted-call-sampler.ts';

function call(id: string) {
  return { id, startTime: '1', queue: 'default', function: 'echo' };
}

function setup(limit: number, result: PublishResult = { kind: 'stored', sequence: 1, duplicate: false }) {
  const pages: ReceiptBatch[] = [];
  const store = {
    put(page: ReceiptBatch) {
      pages.push(page);
      return Promise.resolve(result);
    },
  };
  return { pages, sampler: new AcceptedCallSampler(store, { debug: () => undefined }, { limit, now: () => 1_000 }) };
}

test('every call of a page is published once, and without an accepted call there is no page', async () => {
  const { sampler, pages } = setup(3);
  sampler.note(call('a'));
  sampler.note(call('b'));
  await sampler.flush();
  await sampler.flush();
  const receipts = ['a', 'b'].map((callId) => ({ callId, startTime: '1', queue: 'default', function: 'echo' }));
  expect(pages).toEqual([{ v: 1, receipts, dueAt: 3_000, waitMs: 2_000 }]);
});

test('a page that cannot be stored delays nothing', async () => {
  const { sampler, pages } = setup(3, { kind: 'refused', reason: 'unavailable', detail: '' });
  sampler.note(call('a'));
  await sampler.flush();
  sampler.note(call('b'));
  await sampler.flush();
  expect(pages.map(({ receipts }) => receipts.map(({ callId }) => callId))).toEqual([['a'], ['b']]);
});

test('if there are more calls than a page has room for, each has the same chance to be kept', async () => {
  const kept = new Map<string, number>();
  const rounds = 4_000;
  const { sampler, pages } = setup(5);
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < 20; n++) {
      sampler.note(call(`call-${n}`));
    }
    await sampler.flush();
  }
  for (const { receipts } of pages) {
    expect(receipts).toHaveLength(5);
    for (const { callId } of receipts) {
      kept.set(callId, (kept.get(callId) ?? 0) + 1);
    }
  }
  // A quarter of the rounds each, within nine standard deviations.
  for (const count of kept.values()) {
    expect(Math.abs(count - rounds / 4)).toBeLessThan(9 * Math.sqrt(rounds * 0.25 * 0.75));
  }
  expect(kept.size).toBe(20);
});
