import { expect, test } from 'vitest';
import { collect, durationOption, headerOption, integerOption, momentOption, rateOption } from './values.ts';

test('values are read as people write them', () => {
  expect(durationOption('1m30s')).toBe(90_000);
  expect(integerOption(0, 10)('7')).toBe(7);
  expect(headerOption('Content-Type:  text/plain ', [['a', 'b']])).toEqual([
    ['a', 'b'],
    ['Content-Type', 'text/plain'],
  ]);
  expect(headerOption('Empty:')).toEqual([['Empty', '']]);
  expect(rateOption('10/1m')).toBe('10/1m');
  expect(collect('b', ['a'])).toEqual(['a', 'b']);
  expect(momentOption('2030-01-31T08:00:00+01:00')).toBe('2030-01-31T08:00:00+01:00');
  expect(Math.abs(Date.parse(momentOption('1h')) - (Date.now() - 3_600_000))).toBeLessThan(60_000);
});

test.each([
  [durationOption, '5 minutes', '10s, 5m or 2h'],
  [integerOption(1, 10), '11', 'from 1 to 10'],
  [integerOption(1, 10), '1e1', 'from 1 to 10'],
  [headerOption, 'no colon', "'Name: value'"],
  [headerOption, 'in valid: x', "'Name: value'"],
  [rateOption, '10', '10/1m'],
  [momentOption, 'yesterday', '1h for an hour ago'],
])('%o refuses %j and says what would be right', (read, text, advice) => {
  expect(() => read(text)).toThrow(advice);
});
