import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatSize, parseSize } from './size.ts';

describe('parseSize', () => {
  test.each([
    ['0', 0],
    ['512', 512],
    ['512B', 512],
    ['512KiB', 524_288],
    ['1MiB', 1_048_576],
    ['8GiB', 8_589_934_592],
    ['1TiB', 1_099_511_627_776],
    ['1KB', 1_000],
    ['10MB', 10_000_000],
    ['2GB', 2_000_000_000],
  ])('reads %j as %j', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes);
  });

  test.each(['', ' ', 'B', 'MiB', '-1', '1.5MiB', '1 MiB', '1mib', '1M', '1Mi', '1iB', '1e3', ' 1', '1\n', '1PiB'])(
    'does not guess at %j',
    (text) => {
      expect(parseSize(text)).toBeUndefined();
    },
  );

  test('a size beyond the safe integers is refused, not rounded', () => {
    expect(parseSize('9007199254740991')).toBe(Number.MAX_SAFE_INTEGER);
    expect(parseSize('9007199254740992')).toBeUndefined();
    expect(parseSize('8192TiB')).toBeUndefined();
  });
});

describe('formatSize', () => {
  test.each([
    [0, '0B'],
    [1, '1B'],
    [1_025, '1025B'],
    [524_288, '512KiB'],
    [1_048_576, '1MiB'],
    [10_000_000, '10MB'],
    [8_589_934_592, '8GiB'],
  ])('writes %j bytes as %j', (bytes, text) => {
    expect(formatSize(bytes)).toBe(text);
  });

  test('format, then parse returns the value', () => {
    const scaled = fc.tuple(fc.nat({ max: 8_000 }), fc.constantFrom(1, 1000, 1024, 1e6, 1024 ** 2, 1e9, 1024 ** 3));
    const sizes = fc.oneof(
      fc.maxSafeNat(),
      scaled.map(([count, unit]) => count * unit),
    );
    fc.assert(fc.property(sizes, (bytes) => parseSize(formatSize(bytes)) === bytes));
  });

  test.each([-1, 1.5, Number.NaN, 2 ** 60])('refuses %j', (bytes) => {
    expect(() => formatSize(bytes)).toThrow(RangeError);
  });
});
