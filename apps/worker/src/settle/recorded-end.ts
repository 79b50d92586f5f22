import { type DeadLetterReason, deadLetterReasons, type Outcome } from '@asyncfn/queue-core';

/** The number of the attempt that a call ended with; of one that ended without a further one, the number of that. */
export function retryOf({ attempts, durationMs }: Outcome): number {
  return durationMs === undefined ? attempts : attempts - 1;
}

/** A record of another version may name a reason that we do not know. */
export function toReason(reason: string | undefined): DeadLetterReason {
  return deadLetterReasons.find((known) => known === reason) ?? 'rejected';
}
