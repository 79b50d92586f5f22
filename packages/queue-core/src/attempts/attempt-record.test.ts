import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AttemptRecord, decided, historyBounds, withAttempt } from './attempt-record.ts';

function attemptOf(attempt: number): AttemptRecord {
  return {
    attempt,
    startedAt: attempt * 1_000,
    durationMs: 5,
    status: 503,
    verdict: 'retry',
    retryAt: 1,
    worker: 'w:1',
  };
}

function attemptsOf(count: number): AttemptRecord[] {
  let history: AttemptRecord[] | undefined;
  for (let attempt = 1; attempt <= count; attempt++) {
    history = withAttempt(history, attemptOf(attempt));
  }
  return history ?? [];
}

test('of very many attempts the first and the newest are kept, in order', () => {
  const { first, newest } = historyBounds;
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_001 }), (count) => {
      const all = Array.from({ length: count }, (_, index) => index + 1);
      const wanted = count <= first + newest ? all : [...all.slice(0, first), ...all.slice(-newest)];
      expect(attemptsOf(count).map(({ attempt }) => attempt)).toEqual(wanted);
    }),
    { numRuns: 50 },
  );
});

test('the longest possible history takes less than 6 KiB', () => {
  const worst = {
    ...attemptOf(1_001),
    startedAt: 8.64e15,
    error: 'e'.repeat(64),
    worker: 'w'.repeat(64),
  };
  const history = Array.from({ length: 50 }).reduce<AttemptRecord[]>((kept) => withAttempt(kept, worst), []);
  expect(JSON.stringify(history).length).toBeLessThan(6 * 1024);
});

test('the attempt that ends a call has the verdict of the end, and no retry follows it', () => {
  const [one, two] = decided(attemptsOf(2), 'failed');
  expect(one).toEqual(attemptOf(1));
  expect(two).toEqual({ attempt: 2, startedAt: 2_000, durationMs: 5, status: 503, verdict: 'failed', worker: 'w:1' });
  expect(decided([], 'failed')).toEqual([]);
});
