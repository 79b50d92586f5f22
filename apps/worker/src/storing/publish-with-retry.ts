import type { PublishResult, RefusalReason } from '@asyncfn/queue-core';
import { sleep } from '@asyncfn/service-kit';

export interface PublishRetryOptions {
  /** Whether the broker is there. While it is away nothing can be settled anyway, so that time does not count. */
  readonly connected: () => boolean;
  /** Ends the insisting, after one last try. */
  readonly signal: AbortSignal;
  /** Longest time with a broker that is there and refuses all the same, in milliseconds. Default 30,000. */
  readonly limitMs?: number;
  readonly sleep?: typeof sleep;
}

/** Refusals that time may heal. The others are an answer. */
const passing: ReadonlySet<RefusalReason> = new Set(['unavailable', 'timeout', 'overloaded', 'undecided']);

/** Whether a later try may be stored. */
export function mayPass(reason: RefusalReason): boolean {
  return passing.has(reason);
}

const firstWaitMs = 50;
const longestWaitMs = 2_000;

/**
 * Publishes until there is an answer: stored, in conflict, full or too large. A refusal that may pass is tried again;
 * what comes back then is the last refusal. Safe only for publishes that may be repeated.
 */
export async function publishWithRetry(
  publish: () => Promise<PublishResult>,
  options: PublishRetryOptions,
): Promise<PublishResult> {
  const { connected, signal, limitMs = 30_000, sleep: wait = sleep } = options;
  let waitedMs = 0;
  for (let waitMs = firstWaitMs; ; waitMs = Math.min(longestWaitMs, waitMs * 2)) {
    const isLast = signal.aborted || waitedMs >= limitMs;
    const result = await publish();
    if (result.kind === 'stored' || !mayPass(result.reason) || isLast) {
      return result;
    }
    waitedMs += connected() ? waitMs : 0;
    await wait(waitMs, signal);
  }
}
