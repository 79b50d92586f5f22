import type { RetrySettings } from '../functions/index.ts';
import type { RetryPolicy } from './retry-policy.ts';

/**
 * The policy of a function: its own settings, and `defaults` for what it leaves out.
 *
 * A wait that the function has set is kept as it is: where it says only one end and that lies beyond the other end of
 * the defaults, the default moves to it.
 */
export function toRetryPolicy(settings: RetrySettings, defaults: RetryPolicy): RetryPolicy {
  const {
    attempts = defaults.attempts,
    minWaitMs = Math.min(defaults.minWaitMs, settings.maxWaitMs ?? defaults.minWaitMs),
    maxWaitMs = Math.max(defaults.maxWaitMs, minWaitMs),
    backoff = defaults.backoff,
    codes,
  } = settings;
  return {
    attempts,
    minWaitMs,
    maxWaitMs,
    backoff,
    maxRetryAfterMs: defaults.maxRetryAfterMs,
    codes: codes === undefined ? defaults.codes : new Set(codes),
  };
}
