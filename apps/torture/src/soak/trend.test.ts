import fc from 'fast-check';
import { expect, test } from 'vitest';
import { toTrend } from './trend.ts';

const mebibyte = 1024 * 1024;

function bytes(values: readonly number[]) {
  return toTrend({ name: 'rss of worker-1', unit: 'bytes', values });
}

test('values that vary around the same level are flat', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 90, max: 104 }), { minLength: 40, maxLength: 200 }), (values) => {
      expect(bytes(values.map((value) => value * mebibyte)).flat).toBe(true);
    }),
  );
});

test('values that grow steadily are not flat, however they vary', () => {
  const grown = Array.from({ length: 200 }, (_, index) => (100 + index + (index % 5) * 4) * mebibyte);
  expect(bytes(grown)).toMatchObject({ flat: false });
});

test('values that grow only in the beginning are flat', () => {
  const warm = Array.from({ length: 200 }, (_, index) => (100 + Math.min(index, 45) * 2) * mebibyte);
  expect(bytes(warm).flat).toBe(true);
});

test('a handle that every call leaves open shows up', () => {
  const leak = Array.from({ length: 100 }, (_, index) => 40 + index);
  expect(toTrend({ name: 'handles of gateway-1', unit: 'count', values: leak }).flat).toBe(false);
});
