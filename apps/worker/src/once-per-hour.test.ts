import { expect, test } from 'vitest';
import { OncePerHour } from './once-per-hour.ts';

test('each name is due once an hour', () => {
  let now = 0;
  const hourly = new OncePerHour(() => now);
  expect(['a', 'a', 'b', 'a'].map((name) => hourly.isDue(name))).toEqual([true, false, true, false]);
  now = 3_599_999;
  expect(hourly.isDue('a')).toBe(false);
  now = 3_600_000;
  expect(['a', 'a', 'b'].map((name) => hourly.isDue(name))).toEqual([true, false, true]);
});

test('of too many names the oldest are forgotten', () => {
  const hourly = new OncePerHour(() => 0);
  for (let name = 0; name <= 1_000; name++) {
    hourly.isDue(String(name));
  }
  expect(hourly.isDue('1000')).toBe(false);
  expect(hourly.isDue('1')).toBe(false);
  expect(hourly.isDue('0')).toBe(true);
});
