import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RetrySettings } from '../functions/function-config.ts';
import { defaultRetryPolicy, type RetryPolicy } from './retry-policy.ts';
import { toRetryPolicy } from './to-retry-policy.ts';

const nothing: RetrySettings = {
  attempts: undefined,
  minWaitMs: undefined,
  maxWaitMs: undefined,
  backoff: undefined,
  codes: undefined,
};

test('a function without settings has the defaults', () => {
  expect(toRetryPolicy(nothing, defaultRetryPolicy)).toEqual(defaultRetryPolicy);
});

test('each setting of a function works by itself', () => {
  const settings: RetrySettings = { attempts: 0, minWaitMs: 0, maxWaitMs: 5, backoff: 'equal', codes: [500, 429] };
  expect(toRetryPolicy(settings, defaultRetryPolicy)).toEqual({
    ...settings,
    codes: new Set([500, 429]),
    maxRetryAfterMs: defaultRetryPolicy.maxRetryAfterMs,
  });
  expect(toRetryPolicy({ ...nothing, codes: [] }, defaultRetryPolicy)).toEqual({
    ...defaultRetryPolicy,
    codes: new Set(),
  });
});

test.each([
  [{ minWaitMs: 300_000 }, { minWaitMs: 300_000, maxWaitMs: 300_000 }],
  [{ maxWaitMs: 1_000 }, { minWaitMs: 1_000, maxWaitMs: 1_000 }],
  [{ minWaitMs: 60_000 }, { minWaitMs: 60_000, maxWaitMs: 120_000 }],
  [{ maxWaitMs: 60_000 }, { minWaitMs: 10_000, maxWaitMs: 60_000 }],
])('beside a wait of %j no default is in the way', (settings, waits) => {
  expect(toRetryPolicy({ ...nothing, ...settings }, defaultRetryPolicy)).toMatchObject(waits);
});

test('the shortest wait is never above the longest, and settings of the function win', () => {
  const waitMs = fc.nat(1_000_000);
  const optional = fc.option(waitMs, { nil: undefined });
  fc.assert(
    fc.property(waitMs, waitMs, optional, optional, (a, b, c, d) => {
      const defaults: RetryPolicy = { ...defaultRetryPolicy, minWaitMs: Math.min(a, b), maxWaitMs: Math.max(a, b) };
      const both = c !== undefined && d !== undefined;
      const own = { minWaitMs: both ? Math.min(c, d) : c, maxWaitMs: both ? Math.max(c, d) : d };
      const policy = toRetryPolicy({ ...nothing, ...own }, defaults);
      expect(policy.minWaitMs).toBeLessThanOrEqual(policy.maxWaitMs);
      expect(policy).toMatchObject({
        minWaitMs: own.minWaitMs ?? policy.minWaitMs,
        maxWaitMs: own.maxWaitMs ?? policy.maxWaitMs,
      });
    }),
    { numRuns: 10_000 },
  );
});
