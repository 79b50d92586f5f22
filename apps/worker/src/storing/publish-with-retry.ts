import { type PublishResult, type RefusalReason, retry } from '@asyncfn/queue-core';
import { sleep } from '@asyncfn/service-kit';

export interface PublishRetryOptions {
  /** Whether the broker is connected. While it is away nothing can be settled, so that time does not count. */
  readonly connected: () => boolean;
  /** Ends the retries, after one last try. */
  readonly signal: AbortSignal;
  /** Longest time with a broker that is connected but refuses, in milliseconds. Default 30,000. */
  readonly limitMs?: number;
  readonly sleep?: typeof sleep;
}

/** Refusals that may pass. The others are final. */
const passing: ReadonlySet<RefusalReason> = new Set(['unavailable', 'timeout', 'overloaded', 'undecided']);

/** Whether a later try may be stored. */
export function mayPass(reason: RefusalReason): boolean {
  return passing.has(reason);
}

const firstWaitMs = 50;
const longestWaitMs = 2_000;

/**
 * Publishes until the broker decides: stored, in conflict, full or too large. Retries after a refusal that may pass,
 * and returns the last one if time is up. Only for publishes that may be repeated.
 */
export function publishWithRetry(
  publish: () => Promise<PublishResult>,
  { connected, signal, limitMs = 30_000, sleep: wait = sleep }: PublishRetryOptions,
): Promise<PublishResult> {
  return retry(publish, {
    waits: waits(connected, limitMs),
    until: (result) => result.kind === 'stored' || !mayPass(result.reason),
    signal,
    sleep: wait,
  });
}

/**
 * As `publishWithRetry`, but gives up only when the worker stops: for what must not be lost.
 * @param onWait is called with the last refusal each time `limitMs` have passed
 */
export async function publishUntilDecided(
  publish: () => Promise<PublishResult>,
  options: PublishRetryOptions,
  onWait: (detail: string) => void,
): Promise<PublishResult> {
  for (;;) {
    const result = await publishWithRetry(publish, options);
    if (result.kind === 'stored' || !mayPass(result.reason) || options.signal.aborted) {
      return result;
    }
    onWait(result.detail);
  }
}

/** Doubles up to `longestWaitMs`. What is waited for a broker that is away does not count towards the limit. */
function* waits(connected: () => boolean, limitMs: number): Generator<number> {
  let waitMs = firstWaitMs;
  for (let waitedMs = 0; waitedMs < limitMs; waitMs = Math.min(longestWaitMs, waitMs * 2)) {
    waitedMs += connected() ? waitMs : 0;
    yield waitMs;
  }
}

/** Whether the broker takes no message of this size, so that less has to be stored. */
export function isTooLarge(result: PublishResult): boolean {
  return result.kind === 'refused' && result.reason === 'too_large';
}
