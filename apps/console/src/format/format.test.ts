import { expect, test } from 'vitest';
import { formatAgo, formatBytes, formatCount, formatDuration, formatMany, formatRate, formatShort } from './format.ts';

test('durations have their two largest units', () => {
  const ms = [350, 4_200, 42_000, 60_000, 200_000, 7_500_000, 90_000_000];
  expect(ms.map(formatDuration)).toEqual(['350 ms', '4.2 s', '42 s', '1 min', '3 min 20 s', '2 h 5 min', '1 d 1 h']);
});

test('sizes are binary', () => {
  expect([0, 512, 3_500, 10_485_760, 250_000_000].map(formatBytes)).toEqual([
    '0 B',
    '512 B',
    '3.4 KiB',
    '10.0 MiB',
    '238 MiB',
  ]);
});

test('counts and rates are read at a glance', () => {
  expect([formatCount(1_234_567), formatShort(12_345), formatRate(0.44), formatRate(248.2)]).toEqual([
    '1,234,567',
    '12.3K',
    '0.4',
    '248',
  ]);
  expect([formatMany(1, 'call'), formatMany(2_000, 'call')]).toEqual(['1 call', '2,000 calls']);
});

test('times are told by how long ago they were', () => {
  const now = Date.parse('2026-01-31T12:00:00Z');
  const ago = (ms: number): string => formatAgo(now - ms, now);
  expect([ago(200), ago(1_900), ago(12_700), ago(200_000)]).toEqual([
    'just now',
    '1 s ago',
    '12 s ago',
    '3 min 20 s ago',
  ]);
});
