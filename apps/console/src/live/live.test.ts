import { describe, expect, test } from 'vitest';
import { History } from './history.ts';
import { nextDelayMs } from './next-delay.ts';

describe('the next reading', () => {
  test('comes after the wanted time, and later if the gateway is slow', () => {
    expect(nextDelayMs({ everyMs: 2_000, tookMs: 10, failures: 0 })).toBe(2_000);
    expect(nextDelayMs({ everyMs: 2_000, tookMs: 1_000, failures: 0 })).toBe(10_000);
    expect(nextDelayMs({ everyMs: 2_000, tookMs: 60_000, failures: 0 })).toBe(60_000);
  });

  test('comes later and later while readings fail, but never so late that a recovery goes unnoticed', () => {
    const delays = [1, 2, 3, 9].map((failures) => nextDelayMs({ everyMs: 2_000, tookMs: 10, failures }));
    expect(delays).toEqual([2_000, 4_000, 8_000, 8_000]);
    expect(nextDelayMs({ everyMs: 30_000, tookMs: 10, failures: 5 })).toBe(30_000);
  });
});

describe('a history', () => {
  test('keeps as many samples as it is told, the newest ones', () => {
    const history = new History(2, { most: 3 });
    for (const at of [1, 2, 3, 4]) {
      history.add(at * 1_000, [at, at * 10]);
    }
    expect(history.data).toEqual([
      [2, 3, 4],
      [2, 3, 4],
      [20, 30, 40],
    ]);
  });

  test('shows where nothing was read, as in a hidden tab', () => {
    const history = new History(1, { gapMs: 5_000 });
    history.add(1_000, [1]);
    history.add(60_000, [2]);
    expect(history.data[1]).toEqual([1, null, 2]);
  });
});
