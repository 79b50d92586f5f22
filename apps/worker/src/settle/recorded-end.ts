import { type DeadLetterReason, deadLetterReasons, type Outcome } from '@asyncfn/queue-core';

/** Retries before the attempt that the call ended with, or that it would have had next. */
export function retryOf({ attempts, durationMs }: Outcome): number {
  return durationMs === undefined ? attempts : attempts - 1;
}

/** A record of another version may name an unknown reason. */
export function toReason(reason: string | undefined): DeadLetterReason {
  return deadLetterReasons.find((known) => known === reason) ?? 'rejected';
}
