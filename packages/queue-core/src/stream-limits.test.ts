import { describe, expect, test } from 'vitest';
import { limitOfQueue, streamLimitType, toStreamLimits } from './stream-limits.ts';

describe('a limit', () => {
  test.each([
    ['1GiB', { stream: undefined, maxBytes: 2 ** 30 }],
    ['CALLS_default=4GiB', { stream: 'CALLS_default', maxBytes: 2 ** 32 }],
    ['OUTCOMES=1MiB', { stream: 'OUTCOMES', maxBytes: 2 ** 20 }],
  ])('%s is read, and written the same', (text, limit) => {
    expect(streamLimitType.parse(text)).toEqual(limit);
    expect(streamLimitType.format(limit)).toBe(text);
  });

  test.each([
    '',
    '1023KiB',
    '0',
    '-1',
    'lots',
    'OUTCOMES',
    'OUTCOMES=',
    '=1GiB',
    'OUTCOME=1GiB',
    'CALLS_=1GiB',
    'CALLS_a.b=1GiB',
    'a=b=1GiB',
  ])('%j is none', (text) => {
    expect(streamLimitType.parse(text)).toBeUndefined();
  });
});

test('a stream that is named has its own limit, and all others share the one without a name', () => {
  const limits = toStreamLimits([
    { stream: undefined, maxBytes: 5 },
    { stream: 'CALLS_a', maxBytes: 7 },
  ]);
  expect(['CALLS_a', 'CALLS_b', 'OUTCOMES'].map(limits)).toEqual([7, 5, 5]);
  expect(toStreamLimits([{ stream: 'CALLS_a', maxBytes: 7 }])('OUTCOMES')).toBeUndefined();
});

test('a queue takes new calls up to two fifths of its stream, or up to a lower limit of its own', () => {
  const limits = toStreamLimits([{ stream: 'CALLS_a', maxBytes: 1_000 }]);
  expect([undefined, 300, 900].map((set) => limitOfQueue(limits, 'a', set))).toEqual([400, 300, 400]);
  expect([undefined, 500].map((set) => limitOfQueue(limits, 'b', set))).toEqual([undefined, 500]);
});
