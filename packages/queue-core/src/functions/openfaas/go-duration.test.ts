import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseGoDuration } from './go-duration.ts';

test.each([
  ['0', 0],
  ['+0', 0],
  ['0s', 0],
  ['10s', 10_000],
  ['+10s', 10_000],
  ['1m30s', 90_000],
  ['2m0s', 120_000],
  ['30s1m', 90_000],
  ['1h1h', 7_200_000],
  ['1.5h', 5_400_000],
  ['.5s', 500],
  ['1.s', 1_000],
  ['250ms', 250],
  ['1500us', 2],
  ['1500µs', 2],
  ['1500μs', 2],
  ['1ns', 0],
])('Go reads %j, and so do we: %i ms', (text, ms) => {
  expect(parseGoDuration(text)).toBe(ms);
});

test.each(['', '10', '10 s', ' 10s', '10s\n', '-10s', '1d', '1w', '10S', 's', '.s', '1e3s', '1,5s', '10s,', '++1s'])(
  'Go refuses %j as a duration, and so do we',
  (text) => {
    expect(parseGoDuration(text)).toBeUndefined();
  },
);

test('a duration beyond the safe integers is refused, not rounded', () => {
  expect(parseGoDuration(`${'9'.repeat(30)}h`)).toBeUndefined();
});

test('any text yields a duration or nothing, and soon', () => {
  const pieces = fc.array(fc.constantFrom('1', '0', '.', 'h', 'm', 's', 'ms', 'µs', '+', '9'.repeat(1_000)));
  fc.assert(
    fc.property(
      pieces.map((parts) => parts.join('')),
      (text) => {
        const ms = parseGoDuration(text);
        expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true);
      },
    ),
  );
});
