import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseInstant, parseUnixSeconds } from './instant.ts';

test('reads back any date-time that JavaScript writes', () => {
  const dates = fc.date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true });
  fc.assert(fc.property(dates, (date) => parseInstant(date.toISOString()) === date.getTime()));
});

test.each([
  ['2030-01-31T08:00:00Z', Date.UTC(2030, 0, 31, 8)],
  ['2030-01-31t08:00:00z', Date.UTC(2030, 0, 31, 8)],
  ['2030-01-31 08:00:00+02:00', Date.UTC(2030, 0, 31, 6)],
  ['2030-01-31T08:00:00.000000001Z', Date.UTC(2030, 0, 31, 8) + 1],
  ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
])('%s', (text, ms) => expect(parseInstant(text)).toBe(ms));

test.each([
  '2030-02-30T00:00:00Z',
  '2029-02-29T00:00:00Z',
  '2030-13-01T00:00:00Z',
  '2030-01-31T25:00:00Z',
  '2030-01-31',
  '2030-01-31T08:00:00',
  '1969-12-31T23:59:59Z',
  '1900000000',
  '',
])('%j is no date-time', (text) => expect(parseInstant(text)).toBeUndefined());

test('seconds since 1970 may have a fraction, which is rounded up', () => {
  expect(parseUnixSeconds('1900000000')).toBe(1_900_000_000_000);
  expect(parseUnixSeconds('1.0001')).toBe(1_001);
  expect(['', '-1', '1e3', '1.', '1234567890123'].map(parseUnixSeconds)).toEqual(Array(5).fill(undefined));
});
