import { expect, test } from 'vitest';
import { median, percentile } from './statistics.ts';

test('the median of an odd number of values is the one in the middle, whatever their order', () => {
  expect(median([9, 1, 5])).toBe(5);
  expect(median([4])).toBe(4);
});

test('the median of an even number of values is the mean of the two in the middle', () => {
  expect(median([10, 1, 2, 4])).toBe(3);
});

test('a percentile is one of the measured values', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(values, 0.5)).toBe(50);
  expect(percentile(values, 0.99)).toBe(99);
  expect(percentile(values, 1)).toBe(100);
  expect(percentile([7], 0.99)).toBe(7);
});

test('the median and percentile of nothing are NaN', () => {
  expect(median([])).toBeNaN();
  expect(percentile([], 0.5)).toBeNaN();
});
