import type { EndedCall } from '@asyncfn/queue-core';

/** Why the response of a function cannot be given out. Stable; to decide by. */
export type GoneReason =
  /** `RESULT_TTL` is 0. */
  | 'not_kept'
  /** Larger than the worker or the broker takes. */
  | 'too_large'
  /** The call ended, but its result could not be recorded. */
  | 'not_recorded'
  /** The call was ended before its function had answered. */
  | 'cancelled'
  | 'expired';

/** Why there is no response to give out; undefined where there is one. */
export function goneReason({ outcome }: EndedCall, kept: boolean): GoneReason | undefined {
  if (outcome.status === 'cancelled' || outcome.status === 'expired') {
    return outcome.status;
  }
  if (!kept) {
    return 'not_kept';
  }
  if (outcome.bodyOmitted !== undefined) {
    return outcome.bodyOmitted === 'not_recorded' ? 'not_recorded' : 'too_large';
  }
  return outcome.reason === 'response_too_large' ? 'too_large' : undefined;
}
