import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseInstant, parseUnixSeconds } from './instant.ts';

test('reads back any date-time that JavaScript writes', () => {
  const dates = fc.date({
    min: new Date('0000-01-01T00:00:00Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  });
  fc.assert(fc.property(dates, (date) => parseInstant(date.toISOString()) === date.getTime()));
});

test.each([
  ['2030-01-31T08:00:00Z', Date.UTC(2030, 0, 31, 8)],
  ['2030-01-31t08:00:00z', Date.UTC(2030, 0, 31, 8)],
  ['2030-01-31 08:00:00+02:00', Date.UTC(2030, 0, 31, 6)],
  ['2030-01-31T08:00:00.000000001Z', Date.UTC(2030, 0, 31, 8) + 1],
  ['2030-01-31T08:00:00.0000000000001Z', Date.UTC(2030, 0, 31, 8) + 1],
  ['2030-01-31T08:00:00.0010000000000Z', Date.UTC(2030, 0, 31, 8) + 1],
  ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29)],
  ['1970-01-01T00:00:00+01:00', -3_600_000],
  ['1969-12-31T23:59:59.9991Z', 0],
  ['0000-01-01T00:00:00Z', Date.parse('0000-01-01T00:00:00Z')],
  ['2016-12-31T23:59:60Z', Date.UTC(2017, 0, 1)],
  ['2016-12-31T15:59:60.25-08:00', Date.UTC(2017, 0, 1)],
  ['2017-01-01T05:29:60+05:30', Date.UTC(2017, 0, 1)],
])('%s', (text, ms) => expect(parseInstant(text)).toBe(ms));

test.each([
  '2030-02-30T00:00:00Z',
  '2029-02-29T00:00:00Z',
  '2030-13-01T00:00:00Z',
  '2030-01-31T25:00:00Z',
  '2030-01-31',
  '2030-01-31T08:00:00',
  '2030-01-31T08:00:60Z',
  '2030-01-30T23:59:60Z',
  '2016-12-31T23:59:60+01:00',
  '2016-12-31T23:59:61Z',
  '2030-02-30T23:59:60Z',
  '2030-01-31T08:00:00.Z',
  '1900000000',
  '',
])('%j is no date-time', (text) => expect(parseInstant(text)).toBeUndefined());

test('seconds since 1970 may have a fraction, which is rounded up', () => {
  expect(parseUnixSeconds('1900000000')).toBe(1_900_000_000_000);
  expect(parseUnixSeconds('1.0001')).toBe(1_001);
  expect(parseUnixSeconds('1.00000000000001')).toBe(1_001);
  expect(['', '-1', '1e3', '1.', '1234567890123'].map(parseUnixSeconds)).toEqual(Array(5).fill(undefined));
});
