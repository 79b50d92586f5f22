import type { HeaderList } from '../call/index.ts';
import { backoffMs, parseRetryAfter, type RetryPolicy } from './retry-policy.ts';

/** The result of one attempt. */
export type Attempt =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: HeaderList }
  /** No byte of a response arrived. */
  | { readonly kind: 'unreachable' }
  /** The response is malformed or incomplete: counts as a 502. */
  | { readonly kind: 'bad_response' }
  | { readonly kind: 'deadline' }
  | { readonly kind: 'response_too_large' };

/** Why an attempt is retried; the label of a metric. */
export type RetryReason = 'status' | 'internal' | 'unreachable' | 'bad_response' | 'deadline';

/** Why a call has failed for good. */
type FailureReason =
  | 'retries_exhausted'
  /** A final status: the function does not want this call. */
  | 'rejected'
  /** The function said `X-Non-Retryable: true`. */
  | 'non_retryable'
  | 'expired'
  | 'response_too_large'
  /** The response is not HTTP, and 502 is not among the retried statuses. */
  | 'bad_response'
  /** The function has been gone for a while. */
  | 'unknown_function'
  /** The message could not be read. */
  | 'undecodable'
  /** Too many workers died while they ran the call. */
  | 'worker_crash';

/** What follows an attempt. */
export type Verdict =
  | { readonly kind: 'succeeded' }
  | {
      readonly kind: 'retry';
      readonly delayMs: number;
      readonly reason: RetryReason;
      /** The function has set the wait with `Retry-After`. */
      readonly asked?: true;
    }
  | { readonly kind: 'failed'; readonly reason: FailureReason };

/** The part of the call that a verdict depends on. */
export interface SettledCall {
  /** Retries made so far: 0 after the first try. */
  readonly retry: number;
  /** The caller's own limit of retries; overrides the function's. */
  readonly maxRetries?: number | undefined;
}

/**
 * Decides what follows an attempt.
 *
 * 2xx and 3xx are success. A status of `codes`, no answer at all, a deadline, an answer that cannot be read if `codes`
 * has 502, and any error status with `X-OpenFaaS-Internal` are tried again, as long as the budget lasts and the
 * function has not said `X-Non-Retryable: true`. Every other status is final.
 *
 * @param now Unix time in milliseconds
 * @param random gives numbers from 0 to 1
 */
export function settle(
  call: SettledCall,
  attempt: Attempt,
  policy: RetryPolicy,
  now: number,
  random: () => number,
): Verdict {
  if (attempt.kind === 'answered' && attempt.status < 400) {
    return { kind: 'succeeded' };
  }
  const reason = retryReason(attempt, policy);
  if (typeof reason === 'object') {
    return reason;
  }
  if (call.retry >= retryLimit(call, policy)) {
    return { kind: 'failed', reason: 'retries_exhausted' };
  }
  const askedMs = askedFor(attempt, policy, now);
  return askedMs === undefined
    ? { kind: 'retry', reason, delayMs: backoffMs(policy, call.retry, random) }
    : { kind: 'retry', reason, delayMs: askedMs, asked: true };
}

const badGateway = 502;

/** How many retries the call may have. */
export function retryLimit(call: Pick<SettledCall, 'maxRetries'>, policy: RetryPolicy): number {
  return call.maxRetries ?? policy.attempts;
}

function retryReason(attempt: Attempt, policy: RetryPolicy): RetryReason | Extract<Verdict, { kind: 'failed' }> {
  if (attempt.kind === 'response_too_large') {
    return { kind: 'failed', reason: 'response_too_large' };
  }
  if (attempt.kind === 'bad_response' && !policy.codes.has(badGateway)) {
    return { kind: 'failed', reason: 'bad_response' };
  }
  if (attempt.kind !== 'answered') {
    return attempt.kind;
  }
  if (headerOf(attempt, 'x-non-retryable')?.toLowerCase() === 'true') {
    return { kind: 'failed', reason: 'non_retryable' };
  }
  if (policy.codes.has(attempt.status)) {
    return 'status';
  }
  return headerOf(attempt, 'x-openfaas-internal') === undefined ? { kind: 'failed', reason: 'rejected' } : 'internal';
}

/**
 * `Retry-After` on 429 and 503 replaces the back-off. It is not cut to `maxWaitMs`: the function knows better when it
 * has room.
 */
function askedFor(attempt: Attempt, policy: RetryPolicy, now: number): number | undefined {
  if (attempt.kind !== 'answered' || (attempt.status !== 429 && attempt.status !== 503)) {
    return undefined;
  }
  const asked = parseRetryAfter(headerOf(attempt, 'retry-after'), now);
  return asked === undefined ? undefined : Math.max(policy.minWaitMs, Math.min(asked, policy.maxRetryAfterMs));
}

function headerOf({ headers }: Extract<Attempt, { kind: 'answered' }>, lowerName: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === lowerName)?.[1].trim();
}
