import { checkOptions, OptionError, type OptionNames } from '../errors/index.ts';
import { checkTimerMs } from './durations.ts';

/** When a failed request is sent again. */
export interface RetryOptions {
  /** How often a request is sent again after the first try, 0 to 1,000. 0 sends each request once. Default 10. */
  readonly attempts?: number;
  /** The longest wait before the first retry, in milliseconds; doubled for each further one. Default 250. */
  readonly minWaitMs?: number;
  /** The longest wait before any retry, in milliseconds, unless `Retry-After` asks for more. Default 5,000. */
  readonly maxWaitMs?: number;
  /** No retry begins later than this after the first try, in milliseconds. Default 60,000. */
  readonly maxElapsedMs?: number;
}

export type RetryPolicy = Required<RetryOptions>;

const retryOptions: OptionNames<RetryOptions> = {
  attempts: true,
  minWaitMs: true,
  maxWaitMs: true,
  maxElapsedMs: true,
};

const defaults: RetryPolicy = { attempts: 10, minWaitMs: 250, maxWaitMs: 5_000, maxElapsedMs: 60_000 };

/** @throws OptionError for a value that is out of range */
export function toRetryPolicy(options: RetryOptions = {}): RetryPolicy {
  checkOptions(options, retryOptions, 'retry');
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const policy: RetryPolicy = { ...defaults, ...given };
  if (!(Number.isInteger(policy.attempts) && policy.attempts >= 0 && policy.attempts <= 1_000)) {
    throw new OptionError(`retry.attempts: ${policy.attempts} is not a whole number from 0 to 1000`);
  }
  checkTimerMs('retry.minWaitMs', policy.minWaitMs);
  checkTimerMs('retry.maxWaitMs', policy.maxWaitMs);
  checkTimerMs('retry.maxElapsedMs', policy.maxElapsedMs);
  return policy;
}

/** What has happened to a request so far. */
export interface Failures {
  /** Retries made. */
  readonly retries: number;
  /** Since the first try. */
  readonly elapsedMs: number;
  /** What the last answer asks for. */
  readonly retryAfterMs: number | undefined;
  /** From 0 to 1. */
  readonly random: number;
}

/**
 * How long to wait before the next try, in milliseconds; undefined if there is none. The wait is random up to a limit that
 * doubles, so that clients do not come back all at once, and never shorter than what `Retry-After` asks for.
 */
export function nextWaitMs(policy: RetryPolicy, failures: Failures): number | undefined {
  const { retries, elapsedMs, retryAfterMs = 0, random } = failures;
  const limit = Math.min(policy.maxWaitMs, policy.minWaitMs * 2 ** retries);
  const waitMs = retryAfterMs + random * limit;
  return retries < policy.attempts && elapsedMs + waitMs <= policy.maxElapsedMs ? waitMs : undefined;
}
