import type { HeaderList } from '@asyncfn/queue-core';
import { parseRetryAfter } from '@asyncfn/queue-core/settle';

/** A receiver's answer to one delivery. */
export type CallbackAnswer =
  | { readonly kind: 'answered'; readonly status: number; readonly headers: HeaderList }
  /** It may not be sent there, now or later. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'unreachable' }
  /** The response has no status line. */
  | { readonly kind: 'bad_response' }
  | { readonly kind: 'deadline' };

/** What follows the delivery of a callback. */
export type CallbackVerdict =
  | { readonly kind: 'delivered' }
  /** The receiver answered 410: it wants no further delivery. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'retry'; readonly delayMs: number }
  | { readonly kind: 'undeliverable' };

/** Jitter of a wait, to both sides, so that callbacks that failed together are not retried together. */
const jitter = 0.2;

/**
 * Decides what follows the delivery of a callback. Any 2xx is delivered, 410 ends it (Standard Webhooks), and anything
 * else, redirects included, is retried by the schedule, unless the address is forbidden or the receiver refuses for
 * good (`X-Non-Retryable: true`). `Retry-After` on 429 and 503 replaces the wait: at least the shortest wait of the
 * schedule, since a receiver that says 0 would use up all tries at once, and at most the longest.
 *
 * @param tries deliveries tried, this one included
 * @param scheduleMs waits before the second, third, ... delivery
 * @param now Unix time in milliseconds
 * @param random gives numbers from 0 to 1
 */
export function settleCallback(
  answer: CallbackAnswer,
  tries: number,
  scheduleMs: readonly number[],
  now: number,
  random: () => number,
): CallbackVerdict {
  if (answer.kind === 'answered' && answer.status >= 200 && answer.status < 300) {
    return { kind: 'delivered' };
  }
  if (answer.kind === 'answered' && answer.status === 410) {
    return { kind: 'gone' };
  }
  const waitMs = scheduleMs[tries - 1];
  if (waitMs === undefined || answer.kind === 'refused' || isFinal(answer)) {
    return { kind: 'undeliverable' };
  }
  const asked = retryAfterMs(answer, now);
  if (asked !== undefined) {
    return { kind: 'retry', delayMs: Math.max(Math.min(...scheduleMs), Math.min(asked, Math.max(...scheduleMs))) };
  }
  return { kind: 'retry', delayMs: Math.round(waitMs * (1 - jitter + 2 * jitter * random())) };
}

/** A gateway of ours says so about a callback that can never become a call, for example beyond the deepest chain. */
function isFinal(answer: CallbackAnswer): boolean {
  return answer.kind === 'answered' && headerOf(answer.headers, 'x-non-retryable')?.toLowerCase() === 'true';
}

function headerOf(headers: HeaderList, lowerName: string): string | undefined {
  return headers.find(([name]) => name.toLowerCase() === lowerName)?.[1];
}

function retryAfterMs(answer: CallbackAnswer, now: number): number | undefined {
  if (answer.kind !== 'answered' || (answer.status !== 429 && answer.status !== 503)) {
    return undefined;
  }
  return parseRetryAfter(headerOf(answer.headers, 'retry-after'), now);
}
