import { expect, test } from 'vitest';
import { createStartTimeClock } from './start-time.ts';

test('a start time is now in Unix nanoseconds', () => {
  const before = BigInt(Date.now()) * 1_000_000n;
  const time = createStartTimeClock()();
  const after = BigInt(Date.now() + 1) * 1_000_000n;
  expect(time).toMatch(/^\d{19}$/);
  expect(BigInt(time) >= before && BigInt(time) <= after).toBe(true);
});

test('milliseconds come from the system clock and the rest from the monotonic one', () => {
  const clock = createStartTimeClock({ now: () => 1_700_000_000_123, monotonicNow: () => 42.0005 });
  expect(clock()).toBe('1700000000123000500');
});

test('no two start times are the same, even within a nanosecond', () => {
  const clock = createStartTimeClock({ now: () => 1_700_000_000_123, monotonicNow: () => 0.5 });
  const times = Array.from({ length: 1000 }, clock);
  expect(new Set(times).size).toBe(1000);
  expect(times).toEqual(times.toSorted());
});
