/** Jitter of the wait before a retry, so that calls that failed together do not come back together. */
type Backoff =
  /** The computed wait itself. */
  | 'exponential'
  /** Anything from nothing to the computed wait. */
  | 'full'
  /** Anything from half the computed wait to all of it. */
  | 'equal';

/** How a call is retried after a failure that may pass. */
export interface RetryPolicy {
  /** Retries after the first try. 0: none. */
  readonly attempts: number;
  /** Wait before the first retry, in milliseconds; doubled for each further one. */
  readonly minWaitMs: number;
  /** Longest computed wait, in milliseconds. */
  readonly maxWaitMs: number;
  readonly backoff: Backoff;
  /** Longest wait that a function may ask for with `Retry-After`, in milliseconds. */
  readonly maxRetryAfterMs: number;
  /** Statuses that are retried. */
  readonly codes: ReadonlySet<number>;
}

/** For functions that set none, in workers without `RETRY_*`. */
export const defaultRetryPolicy: RetryPolicy = {
  attempts: 10,
  minWaitMs: 10_000,
  maxWaitMs: 120_000,
  backoff: 'full',
  maxRetryAfterMs: 3_600_000,
  codes: new Set([408, 429, 500, 502, 503, 504]),
};

/**
 * The wait before the next retry, in milliseconds.
 * @param retries made so far: 0 after the first try
 * @param random gives numbers from 0 to 1
 */
export function backoffMs(policy: RetryPolicy, retries: number, random: () => number): number {
  // 2 ** 1000 is finite, and more retries than that are not allowed.
  const full = Math.min(policy.maxWaitMs, policy.minWaitMs * 2 ** retries);
  switch (policy.backoff) {
    case 'exponential':
      return full;
    case 'full':
      return Math.round(full * random());
    case 'equal':
      return Math.round(full * (0.5 + random() / 2));
  }
}

/**
 * The wait that `Retry-After` asks for (RFC 9110, 10.2.3), in milliseconds; undefined if it is invalid.
 * @param now Unix time in milliseconds, for the form with a date
 */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  const text = value?.trim() ?? '';
  if (/^\d+$/.test(text)) {
    return Math.min(Number(text) * 1000, Number.MAX_SAFE_INTEGER);
  }
  // `Date.parse` reads almost anything: only the three forms of an HTTP date, which all begin with a day, are let in.
  const date = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text) ? Date.parse(asGmt(text)) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** HTTP dates are in GMT; the oldest form, that of asctime, does not say so. */
function asGmt(text: string): string {
  return text.endsWith('GMT') ? text : `${text} GMT`;
}
