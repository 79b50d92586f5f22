import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatRate, parseRate } from './rate.ts';

test.each([
  ['50/1s', 50, 1_000],
  ['1/100ms', 1, 100],
  ['10/1m', 10, 60_000],
  ['100000/7d', 100_000, 604_800_000],
  ['7/1h30m', 7, 5_400_000],
])('%j is a rate', (text, count, periodMs) => {
  expect(parseRate(text)).toEqual({ count, periodMs });
});

test.each([
  '',
  '50',
  '50/',
  '/1s',
  '50/s',
  '50/1',
  '50/0',
  '0/1s',
  '-1/1s',
  '1.5/1s',
  '1e3/1s',
  '050/1s',
  ' 50/1s',
  '50 / 1s',
  '50/1s ',
  '50/1s/2',
  '100001/1s',
  '1/99ms',
  '1/7d1ms',
  '1/second',
])('%j is none', (text) => {
  expect(parseRate(text)).toBeUndefined();
});

test('format, then parse returns the rate', () => {
  const rate = fc.record({
    count: fc.integer({ min: 1, max: 100_000 }),
    periodMs: fc.integer({ min: 100, max: 604_800_000 }),
  });
  fc.assert(
    fc.property(rate, (each) => {
      expect(parseRate(formatRate(each))).toEqual(each);
    }),
  );
});
