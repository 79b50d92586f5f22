import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextTurnAt, withoutOldEnds, withTimes } from './ends.ts';
import type { FlowState } from './flow-records.ts';
import { emptyState } from './turns.ts';

const state = emptyState({ function: 'f', key: 'k' });
const minute = { count: 2, periodMs: 60_000 };

function ofCalls(running: number, ended: readonly (readonly [number, number])[] = []): FlowState {
  const calls = Array.from({ length: running }, (_, n): [string, string] => [`${n}`, '1']);
  return { ...state, running: calls, ended: ended.map(([at, count]) => [at, count]) };
}

test('a call may get its turn at once, or a period after the end that is in its way, or only after another end', () => {
  const at = 1_000_000;
  expect(nextTurnAt(ofCalls(5), undefined)).toBe(Number.NEGATIVE_INFINITY);
  expect(nextTurnAt(ofCalls(1), minute)).toBe(Number.NEGATIVE_INFINITY);
  expect(nextTurnAt(ofCalls(2), minute)).toBe(Number.POSITIVE_INFINITY);
  expect(nextTurnAt(ofCalls(0, [[at, 1]]), minute)).toBe(Number.NEGATIVE_INFINITY);
  expect(nextTurnAt(ofCalls(0, [[at, 2]]), minute)).toBe(at + 60_000);
  expect(nextTurnAt(ofCalls(1, [[at, 1]]), minute)).toBe(at + 60_000);
  const later = [
    [at, 1],
    [at + 5, 1],
  ] as const;
  expect(nextTurnAt(ofCalls(1, later), minute)).toBe(at + 60_005);
  expect(nextTurnAt({ ...ofCalls(1), justEnded: 1 }, minute)).toBe(Number.POSITIVE_INFINITY);
});

test('an end counts from the time of the message that has it, and the rate alone says for how long', () => {
  const stored = withTimes({ ...state, justEnded: 2 }, 1_000_000);
  expect(stored).toEqual({ ...state, ended: [[1_000_001, 2]] });
  expect(withTimes(stored, 2_000_000)).toEqual(stored);
  expect(withoutOldEnds(stored, undefined, 0)).toEqual(state);
  expect(withoutOldEnds(stored, minute, 1_061_001)).toEqual(state);
  expect(withoutOldEnds(stored, minute, 1_060_000).ended).toEqual([[1_000_800, 2]]);
});

test('however many calls end in a period, the state is small, and none of them counts too short', () => {
  const rate = fc.record({
    count: fc.integer({ min: 1, max: 100_000 }),
    periodMs: fc.integer({ min: 100, max: 604_800_000 }),
  });
  const parts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 300 });
  fc.assert(
    fc.property(rate, parts, ({ count, periodMs }, agesOf) => {
      const now = 1_800_000_000_000;
      const ended = agesOf.map((part): [number, number] => [Math.ceil(now - part * periodMs) + 1, 1]);
      const kept = withoutOldEnds({ ...state, ended }, { count, periodMs }, now).ended ?? [];
      expect(kept.length).toBeLessThanOrEqual(52);
      expect(kept.reduce((sum, [, each]) => sum + each, 0)).toBe(ended.length);
      const latest = Math.max(...ended.map(([at]) => at));
      expect(kept.at(-1)?.[0]).toBeGreaterThanOrEqual(latest);
      expect(kept).toEqual(kept.toSorted(([one], [other]) => one - other));
      expect(withoutOldEnds({ ...state, ended: kept }, { count, periodMs }, now).ended).toEqual(kept);
    }),
  );
});
