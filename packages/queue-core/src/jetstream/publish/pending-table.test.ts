import { describe, expect, test } from 'vitest';
import { PendingTable } from './pending-table.ts';

const add = (table: PendingTable<{ id: number }>) => table.add((id) => ({ id }));

test('a pending entry is found by its number, once', () => {
  const table = new PendingTable<{ id: number }>(2);
  const first = add(table);
  const second = add(table);
  expect(table.size).toBe(2);
  expect(table.take(second.id)).toBe(second);
  expect(table.take(second.id)).toBeUndefined();
  expect([table.has(first.id), table.has(second.id), table.size]).toEqual([true, false, 1]);
});

test.each([0, -1, 0.5, Number.NaN, 99, Number.MAX_SAFE_INTEGER])('nothing waits under the number %d', (id) => {
  const table = new PendingTable<{ id: number }>(2);
  add(table);
  expect(table.take(id)).toBeUndefined();
});

test('no number is used twice, whatever is still pending', () => {
  const table = new PendingTable<{ id: number }>(4);
  const kept = add(table);
  const ids = new Set([kept.id]);
  for (let round = 0; round < 1_000; round++) {
    const { id } = add(table);
    expect(ids.has(id)).toBe(false);
    ids.add(id);
    table.take(id);
  }
  expect(table.oldest).toBe(kept);
  expect(table.take(kept.id)).toBe(kept);
  expect(table.oldest).toBeUndefined();
});

describe('the oldest', () => {
  test('is the pending entry that came first, as in a list of them', () => {
    const table = new PendingTable<{ id: number }>(8);
    const waiting: { id: number }[] = [];
    for (let step = 0; step < 5_000; step++) {
      const leaves = waiting.length === 8 || (waiting.length > 0 && (step * 7_919) % 5 < 2);
      if (leaves) {
        const [gone] = waiting.splice((step * 31) % waiting.length, 1);
        table.take(gone!.id);
      } else {
        waiting.push(add(table));
      }
      expect(table.oldest).toBe(waiting[0]);
      expect(table.size).toBe(waiting.length);
    }
  });
});

test('more than the limit is a mistake of the caller', () => {
  const table = new PendingTable<{ id: number }>(1);
  add(table);
  expect(() => add(table)).toThrow(RangeError);
});
