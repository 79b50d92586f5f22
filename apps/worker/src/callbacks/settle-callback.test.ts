import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CallbackAnswer, settleCallback } from './settle-callback.ts';

const schedule = [5_000, 30_000, 120_000];
const now = Date.UTC(2026, 10, 22, 12);

function answered(status: number, headers: readonly (readonly [string, string])[] = []): CallbackAnswer {
  return { kind: 'answered', status, headers };
}

function follow(answer: CallbackAnswer, tries = 1, random = 0.5) {
  return settleCallback(answer, tries, schedule, now, () => random);
}

test.each([200, 201, 202, 204, 299])('%i is delivered', (status) => {
  expect(follow(answered(status))).toEqual({ kind: 'delivered' });
});

test('410 ends it at once', () => {
  expect(follow(answered(410))).toEqual({ kind: 'gone' });
});

test.each([301, 302, 307, 308, 400, 401, 404, 429, 500, 503])('%i is retried', (status) => {
  expect(follow(answered(status))).toEqual({ kind: 'retry', delayMs: 5_000 });
});

test('a final answer is not retried, and leaves a dead letter', () => {
  for (const status of [400, 413, 503, 508]) {
    expect(follow(answered(status, [['x-non-retryable', 'True']]))).toEqual({ kind: 'undeliverable' });
    expect(follow(answered(status, [['X-Non-Retryable', 'false']]))).toMatchObject({ kind: 'retry' });
  }
  expect(follow(answered(200, [['X-Non-Retryable', 'true']]))).toEqual({ kind: 'delivered' });
  expect(follow(answered(410, [['X-Non-Retryable', 'true']]))).toEqual({ kind: 'gone' });
});

test('each failed delivery waits for the next duration of the schedule, and the last ends it', () => {
  const waits = [1, 2, 3, 4].map((tries) => follow({ kind: 'unreachable' }, tries));
  expect(waits).toEqual([
    { kind: 'retry', delayMs: 5_000 },
    { kind: 'retry', delayMs: 30_000 },
    { kind: 'retry', delayMs: 120_000 },
    { kind: 'undeliverable' },
  ]);
});

test('Retry-After replaces the wait on 429 and 503, between the shortest and the longest of the schedule', () => {
  expect(follow(answered(429, [['Retry-After', '7']]))).toEqual({ kind: 'retry', delayMs: 7_000 });
  expect(follow(answered(503, [['retry-after', '86400']]))).toEqual({ kind: 'retry', delayMs: 120_000 });
  expect(follow(answered(503, [['Retry-After', '0']]), 3)).toEqual({ kind: 'retry', delayMs: 5_000 });
  expect(follow(answered(500, [['Retry-After', '7']]))).toEqual({ kind: 'retry', delayMs: 5_000 });
});

test('a wait varies by a fifth in both directions and no further', () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, noNaN: true }), fc.integer({ min: 1, max: 3 }), (random, tries) => {
      const verdict = follow({ kind: 'deadline' }, tries, random);
      const base = schedule[tries - 1] ?? 0;
      expect(verdict.kind === 'retry' && verdict.delayMs >= base * 0.8 && verdict.delayMs <= base * 1.2).toBe(true);
    }),
  );
});

test('a callback that may not be sent is not retried', () => {
  expect(follow({ kind: 'refused' })).toEqual({ kind: 'undeliverable' });
});

test('an empty schedule means one try', () => {
  expect(settleCallback({ kind: 'unreachable' }, 1, [], now, Math.random)).toEqual({ kind: 'undeliverable' });
});
