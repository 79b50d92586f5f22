import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, parseDuration } from './duration.ts';

describe('parseDuration', () => {
  test.each([
    ['0', 0],
    ['0s', 0],
    ['250ms', 250],
    ['10s', 10_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['1.5s', 1_500],
    ['0.25ms1s', undefined],
    ['1h30m', 5_400_000],
    ['1h0m0s', 3_600_000],
    ['1m0.5s', 60_500],
    ['1.4ms', 1],
    ['1.5ms', 2],
  ])('reads %j as %j', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each([
    '',
    ' ',
    '5',
    'm',
    '-5s',
    '+5s',
    '5 s',
    ' 5s',
    '5s ',
    '5S',
    '5sec',
    '.5s',
    '5.s',
    '1e3ms',
    '30m1h',
    '1s1s',
    '1,5s',
    '5µs',
    'Infinity',
    '0x10s',
    '١s',
  ])('does not guess at %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });

  test('a positive duration never becomes 0, which means "no limit" in many places', () => {
    expect(parseDuration('0.2ms')).toBeUndefined();
  });

  test('a duration beyond the safe integers is refused, not rounded', () => {
    expect(parseDuration('104249991d')).toBe(9_007_199_222_400_000);
    expect(parseDuration('104249992d')).toBeUndefined();
    expect(parseDuration(`${'9'.repeat(400)}d`)).toBeUndefined();
  });

  test('any text yields a non-negative safe integer or undefined', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[0-9.]{0,20}(ms|s|m|h|d)?[0-9]{0,3}(ms|s)?$/), (text) => {
        const ms = parseDuration(text);
        return ms === undefined || (Number.isSafeInteger(ms) && ms >= 0);
      }),
    );
  });
});

describe('formatDuration', () => {
  test.each([
    [0, '0s'],
    [1, '1ms'],
    [1_500, '1s500ms'],
    [90_000, '1m30s'],
    [86_400_000, '1d'],
    [129_600_000, '1d12h'],
    [1.6, '2ms'],
  ])('writes %j ms as %j', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('format, then parse returns the value', () => {
    fc.assert(fc.property(fc.maxSafeNat(), (ms) => parseDuration(formatDuration(ms)) === ms));
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])('refuses %j', (ms) => {
    expect(() => formatDuration(ms)).toThrow(RangeError);
  });
});
