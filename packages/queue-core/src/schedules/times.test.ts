import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextTimes, timesOf } from './times.ts';

const createdAt = Date.parse('2026-01-01T00:00:00.250Z');

/** The next moments in Berlin after a time, as UTC without seconds. */
function inBerlin(cron: string, after: string, count: number): string[] {
  const times = timesOf({ function: 'f', cron, timeZone: 'Europe/Berlin' }, createdAt);
  return nextTimes(times, Date.parse(after), count).map((at) => new Date(at).toISOString().slice(0, 16));
}

describe('a cron in Berlin, where clocks change at 01:00 UTC', () => {
  test('at 02:30 runs once a day: when it does not exist right after the gap, and when it comes twice the first time', () => {
    expect(inBerlin('30 2 * * *', '2026-03-28T00:00Z', 3)).toEqual([
      '2026-03-28T01:30',
      '2026-03-29T01:00',
      '2026-03-30T00:30',
    ]);
    expect(inBerlin('30 2 * * *', '2026-10-24T00:00Z', 3)).toEqual([
      '2026-10-24T00:30',
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
  });

  test('with lists and ranges is as one at a fixed time', () => {
    expect(inBerlin('30 1-2 * * *', '2026-03-29T00:00Z', 3)).toEqual([
      '2026-03-29T00:30',
      '2026-03-29T01:00',
      '2026-03-29T23:30',
    ]);
    expect(inBerlin('0,30 2 * * *', '2026-10-25T00:00Z', 3)).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:00',
      '2026-10-26T01:30',
    ]);
  });

  test('with a wildcard runs in every hour that passes', () => {
    expect(inBerlin('@hourly', '2026-03-29T00:00Z', 3)).toEqual([
      '2026-03-29T01:00',
      '2026-03-29T02:00',
      '2026-03-29T03:00',
    ]);
    expect(inBerlin('@hourly', '2026-10-24T23:30Z', 3)).toEqual([
      '2026-10-25T00:00',
      '2026-10-25T01:00',
      '2026-10-25T02:00',
    ]);
  });

  test('runs once on each day of a year', () => {
    const times = timesOf({ function: 'f', cron: '30 2 * * *', timeZone: 'Europe/Berlin' }, createdAt);
    const days = nextTimes(times, Date.parse('2026-01-01'), 365).map((at) =>
      new Date(at).toLocaleDateString('en', { timeZone: 'Europe/Berlin' }),
    );
    expect(new Set(days).size).toBe(365);
  });
});

test('without a time zone a cron is in UTC', () => {
  const times = timesOf({ function: 'f', cron: '@daily' }, createdAt);
  expect(times.next(Date.parse('2026-03-29T00:00Z'))).toBe(Date.parse('2026-03-30T00:00Z'));
});

test('every counts from the creation, to the millisecond', () => {
  const times = timesOf({ function: 'f', every: '10m' }, createdAt);
  expect(nextTimes(times, createdAt - 5, 2)).toEqual([createdAt + 600_000, createdAt + 1_200_000]);
  expect(times.next(createdAt + 600_000)).toBe(createdAt + 1_200_000);
  expect(times.next(createdAt + 599_999)).toBe(createdAt + 600_000);
  expect(times.previous(createdAt + 600_000)).toBeUndefined();
  expect(times.previous(createdAt + 600_001)).toBe(createdAt + 600_000);
});

test('the moment before and the moment after a time enclose it, and have no other between them', () => {
  const cron = fc.constantFrom('30 2 * * *', '*/7 * * * *', '@hourly', '0 0 29 2 *', '15,45 1-3 * * 1', '0 3 L * *');
  const timeZone = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');
  const timed = fc.oneof(fc.record({ cron, timeZone }), fc.record({ every: fc.constantFrom('1s', '90s', '7d') }));
  const at = fc.integer({ min: createdAt + 7 * 86_400_000 * 300, max: createdAt + 86_400_000 * 4_000 });
  fc.assert(
    fc.property(timed, at, (timing, now) => {
      const times = timesOf({ function: 'f', ...timing }, createdAt);
      const next = times.next(now) ?? Number.NaN;
      const previous = times.previous(now) ?? Number.NaN;
      expect(previous).toBeLessThan(now);
      expect(next).toBeGreaterThan(now);
      expect([times.next(previous), times.previous(next)].includes(now) || times.next(previous) === next).toBe(true);
    }),
    { numRuns: 300 },
  );
});
