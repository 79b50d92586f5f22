import { describe, expect, test } from 'vitest';
import type { BatchEnd, BatchState } from '../../batches/index.ts';
import { BatchRetention } from './batch-retention.ts';

const now = 10_000_000;
const keptMs = 1_000;
const batch = { batchId: 'b-1' };
const sealed: BatchState = {
  v: 1,
  ...batch,
  phase: 'sealed',
  startTime: '1',
  createdAt: 0,
  parts: 1,
  total: 1,
  refused: 0,
};

function endedAt(at: number): BatchEnd {
  return { v: 1, ...batch, succeeded: 1, failed: 0, cancelled: 0, expired: 0, endedAt: at };
}

function keeps(state: BatchState | undefined, end?: BatchEnd, storedAtMs = 0) {
  const retention = new BatchRetention({
    findState: async () => state && { state, sequence: 1, storedAtMs },
    findEnd: async () => end,
  });
  return retention.keeps(batch, now, keptMs);
}

describe('of a batch is kept', () => {
  test.each([
    ['everything until it has ended', sealed, undefined, { calls: true, records: true }],
    ['everything for a while after that', sealed, endedAt(now - keptMs + 1), { calls: true, records: true }],
    ['nothing after that', sealed, endedAt(now - keptMs), { calls: false, records: false }],
    [
      'its answer for as long as its key',
      { ...sealed, keptUntil: now + 1 },
      endedAt(now - keptMs),
      { calls: false, records: true },
    ],
    ['nothing if nothing is known of it', undefined, undefined, { calls: false, records: false }],
  ])('%s', async (_, state, end, expected) => {
    expect(await keeps(state, end)).toEqual(expected);
  });

  test.each(['accepting', 'void'] as const)(
    'a batch that is %s is kept while its gateway may go on with it',
    async (phase) => {
      const state: BatchState = { ...sealed, phase };
      expect(await keeps(state, undefined, now - keptMs + 1)).toEqual({ calls: true, records: true });
      expect(await keeps(state, undefined, now - keptMs)).toEqual({ calls: false, records: false });
    },
  );

  test('all records follow the one lookup of their batch', async () => {
    let looks = 0;
    const retention = new BatchRetention({
      findState: async () => {
        looks += 1;
        return { state: sealed, sequence: 1, storedAtMs: 0 };
      },
      findEnd: async () => undefined,
    });
    await Promise.all([retention.keeps(batch, now, keptMs), retention.keeps(batch, now, keptMs)]);
    await retention.keeps({ ...batch, submitter: 'other' }, now, keptMs);
    expect(looks).toBe(2);
  });
});
