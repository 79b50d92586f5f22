import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { HeaderList } from '../call/call.ts';
import { backoffMs, defaultRetryPolicy, parseRetryAfter, type RetryPolicy } from './retry-policy.ts';
import { type Attempt, settle } from './settle.ts';

const now = Date.UTC(2026, 10, 22, 12, 0, 0);
const policy: RetryPolicy = { ...defaultRetryPolicy, backoff: 'exponential' };

function answered(status: number, headers: HeaderList = []): Attempt {
  return { kind: 'answered', status, headers };
}

function verdict(attempt: Attempt, call: { retry: number; maxRetries?: number } = { retry: 0 }) {
  return settle(call, attempt, policy, now, () => 0.5);
}

test.each([200, 201, 204, 299, 301, 304, 399])('%i is success', (status) => {
  expect(verdict(answered(status))).toEqual({ kind: 'succeeded' });
});

test.each([408, 429, 500, 502, 503, 504])('%i is retried after the first wait', (status) => {
  expect(verdict(answered(status))).toEqual({ kind: 'retry', reason: 'status', delayMs: 10_000 });
});

test.each([400, 401, 404, 409, 410, 422, 501, 505, 599])('%i is final', (status) => {
  expect(verdict(answered(status))).toEqual({ kind: 'failed', reason: 'rejected' });
});

test.each(['unreachable', 'deadline'] as const)('%s is retried whatever the codes are', (kind) => {
  expect(settle({ retry: 0 }, { kind }, { ...policy, codes: new Set() }, now, Math.random)).toMatchObject({
    kind: 'retry',
    reason: kind,
  });
});

test('a response that cannot be read counts as a 502', () => {
  expect(verdict({ kind: 'bad_response' })).toEqual({ kind: 'retry', reason: 'bad_response', delayMs: 10_000 });
  const final = settle({ retry: 0 }, { kind: 'bad_response' }, { ...policy, codes: new Set([503]) }, now, Math.random);
  expect(final).toEqual({ kind: 'failed', reason: 'bad_response' });
  expect(verdict({ kind: 'bad_response' }, { retry: 10 })).toEqual({ kind: 'failed', reason: 'retries_exhausted' });
});

test('a response that is too large is final', () => {
  expect(verdict({ kind: 'response_too_large' })).toEqual({ kind: 'failed', reason: 'response_too_large' });
});

test('an error of the platform is retried whatever its status', () => {
  expect(verdict(answered(400, [['X-OpenFaaS-Internal', 'proxy']]))).toMatchObject({
    kind: 'retry',
    reason: 'internal',
  });
  expect(verdict(answered(200, [['X-OpenFaaS-Internal', 'proxy']]))).toEqual({ kind: 'succeeded' });
});

test('the function ends its retries with X-Non-Retryable', () => {
  const headers = [['x-non-retryable', 'True']] as const;
  expect(verdict(answered(503, headers))).toEqual({ kind: 'failed', reason: 'non_retryable' });
  expect(verdict(answered(500, [...headers, ['X-OpenFaaS-Internal', 'x']]))).toMatchObject({ reason: 'non_retryable' });
  expect(verdict(answered(503, [['x-non-retryable', 'false']]))).toMatchObject({ kind: 'retry' });
});

test("the budget ends the retries, and the caller's value wins over the function's", () => {
  expect(verdict(answered(500), { retry: 10 })).toEqual({ kind: 'failed', reason: 'retries_exhausted' });
  expect(verdict(answered(500), { retry: 0, maxRetries: 0 })).toEqual({ kind: 'failed', reason: 'retries_exhausted' });
  expect(verdict(answered(500), { retry: 10, maxRetries: 11 })).toMatchObject({ kind: 'retry' });
});

test.each([
  ['45', 45_000],
  ['1', 10_000], // never below minWait
  ['600', 600_000], // the function knows better than maxWait
  ['3600', 3_600_000],
  ['86400', 3_600_000], // never above maxRetryAfter
  ['99999999999999999999', 3_600_000],
  ['9'.repeat(400), 3_600_000],
  ['Sun, 22 Nov 2026 12:00:30 GMT', 30_000],
  ['Sunday, 22-Nov-26 12:00:30 GMT', 30_000],
  ['Sun Nov 22 12:00:30 2026', 30_000],
  ['Sun, 22 Nov 2026 11:00:00 GMT', 10_000],
  ['soon', 10_000],
  ['-5', 10_000],
  ['1.5', 10_000],
  ['', 10_000],
])('Retry-After: %s waits %i ms', (value, delayMs) => {
  expect(verdict(answered(429, [['retry-after', value]]))).toMatchObject({ kind: 'retry', delayMs });
  expect(verdict(answered(503, [['Retry-After', value]]))).toMatchObject({ kind: 'retry', delayMs });
});

test('Retry-After is never below minWait, even if that is above maxRetryAfter', () => {
  const slow = { ...policy, minWaitMs: 7_200_000, maxWaitMs: 7_200_000 };
  const attempt = answered(503, [['Retry-After', '86400']]);
  expect(settle({ retry: 0 }, attempt, slow, now, Math.random)).toMatchObject({ delayMs: 7_200_000, asked: true });
});

test('Retry-After counts on 429 and 503 alone', () => {
  expect(verdict(answered(500, [['Retry-After', '45']]))).toMatchObject({ delayMs: 10_000 });
});

const policies = fc
  .record({
    attempts: fc.nat(1000),
    minWaitMs: fc.nat(600_000),
    extra: fc.nat(3_600_000),
    backoff: fc.constantFrom('exponential', 'full', 'equal'),
    maxRetryAfterMs: fc.nat(7_200_000),
    codes: fc.array(fc.integer({ min: 400, max: 599 })).map((codes) => new Set(codes)),
  })
  .map(({ extra, ...rest }): RetryPolicy => ({ ...rest, maxWaitMs: rest.minWaitMs + extra }));

const unit = fc.double({ min: 0, max: 1, noNaN: true });

test('every wait is within the bounds of its mode', () => {
  fc.assert(
    fc.property(policies, fc.nat(1000), unit, (each, retries, random) => {
      const full = Math.min(each.maxWaitMs, each.minWaitMs * 2 ** retries);
      const wait = backoffMs(each, retries, () => random);
      const least = { exponential: full, full: 0, equal: Math.floor(full / 2) }[each.backoff];
      expect(wait).toBeGreaterThanOrEqual(least);
      expect(wait).toBeLessThanOrEqual(full);
    }),
    { numRuns: 10_000 },
  );
});

const header = fc.constantFrom(
  ['Retry-After', '3'],
  ['Retry-After', '999999'],
  ['X-OpenFaaS-Internal', 'proxy'],
  ['X-Non-Retryable', 'true'],
  ['Content-Type', 'text/plain'],
) as fc.Arbitrary<readonly [string, string]>;

const attempts = fc.oneof(
  fc.record({
    kind: fc.constant('answered' as const),
    status: fc.integer({ min: 200, max: 599 }),
    headers: fc.array(header, { maxLength: 3 }),
  }),
  fc.constantFrom<Attempt>(
    { kind: 'unreachable' },
    { kind: 'bad_response' },
    { kind: 'deadline' },
    { kind: 'response_too_large' },
  ),
);

test('a verdict is one of three, keeps to the budget, and waits within the policy', () => {
  fc.assert(
    fc.property(
      policies,
      attempts,
      fc.nat(1100),
      fc.option(fc.nat(1000), { nil: undefined }),
      unit,
      (each, attempt, retry, maxRetries, random) => {
        const result = settle({ retry, maxRetries }, attempt, each, now, () => random);
        const budget = maxRetries ?? each.attempts;
        if (result.kind === 'retry') {
          expect(retry).toBeLessThan(budget);
          expect(result.delayMs).toBeGreaterThanOrEqual(0);
          const longest = result.asked ? Math.max(each.minWaitMs, each.maxRetryAfterMs) : each.maxWaitMs;
          expect(result.delayMs).toBeLessThanOrEqual(longest);
          expect(Number.isSafeInteger(result.delayMs)).toBe(true);
        }
        const success = attempt.kind === 'answered' && attempt.status < 400;
        expect(result.kind === 'succeeded').toBe(success);
        expect(['succeeded', 'retry', 'failed']).toContain(result.kind);
      },
    ),
    { numRuns: 10_000 },
  );
});

test('a call that always fails is tried once and retried exactly as often as its budget says', () => {
  fc.assert(
    fc.property(policies, fc.nat(50), (each, maxRetries) => {
      let tries = 0;
      for (let retry = 0; ; retry++) {
        tries += 1;
        if (settle({ retry, maxRetries }, { kind: 'unreachable' }, each, now, Math.random).kind !== 'retry') {
          break;
        }
      }
      expect(tries).toBe(maxRetries + 1);
    }),
  );
});

test('any text in Retry-After yields a wait or nothing', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const wait = parseRetryAfter(text, now);
      expect(wait === undefined || (Number.isFinite(wait) && wait >= 0)).toBe(true);
    }),
  );
});
