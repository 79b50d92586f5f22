import { expect, test } from 'vitest';
import { timeRange, withSpan } from './chart-data.ts';

test('a chart shows two minutes until there are samples of more', () => {
  expect(timeRange(1_000, 1_010)).toEqual([890, 1_010]);
  expect(timeRange(1_000, 1_500)).toEqual([1_000, 1_500]);
});

test('a chart of no or one sample shows the two minutes before it', () => {
  expect(withSpan([[], [], []], 1_000_000)).toEqual([
    [880, 1_000],
    [null, null],
    [null, null],
  ]);
  expect(withSpan([[500], [7]], 1_000_000)).toEqual([
    [380, 500],
    [null, 7],
  ]);
});

test('further samples are drawn as they are', () => {
  const data: [number[], number[]] = [
    [500, 502],
    [7, 8],
  ];
  expect(withSpan(data)).toBe(data);
});
