import { expect, test } from 'vitest';
import { RecentAttempts } from './recent-attempts.ts';

const minute = 60_000;

test('attempts count for five to ten minutes', () => {
  let now = 0;
  const recent = new RecentAttempts(() => now);
  recent.note('echo', false);
  recent.note('echo', true);
  recent.note('hash', true);
  expect([recent.of('echo'), recent.of('hash'), recent.of('other')]).toEqual([
    { attempts: 2, failed: 1 },
    { attempts: 1, failed: 1 },
    { attempts: 0, failed: 0 },
  ]);
  now = 6 * minute;
  recent.note('echo', false);
  expect(recent.of('echo')).toEqual({ attempts: 3, failed: 1 });
  expect([...recent.names].toSorted()).toEqual(['echo', 'hash']);
  now = 12 * minute;
  expect(recent.of('echo')).toEqual({ attempts: 1, failed: 0 });
  now = 40 * minute;
  expect([recent.of('echo'), [...recent.names]]).toEqual([{ attempts: 0, failed: 0 }, []]);
});

test('however many functions there are, their number is bounded', () => {
  const recent = new RecentAttempts(() => 0);
  for (let at = 0; at < 5_000; at += 1) {
    recent.note(`fn-${at}`, false);
  }
  expect(recent.names.size).toBe(2_000);
});
