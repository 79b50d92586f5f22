import { bodyGone, type EndedCall } from '@asyncfn/queue-core';

/** Why the response of a function is not available. Stable, for programs. */
export type GoneReason =
  /** `RESULT_TTL` is 0. */
  | 'not_kept'
  /** Too large for the worker or the broker. */
  | 'too_large'
  /** The call ended, but its result could not be recorded. */
  | 'not_recorded'
  /** The call was ended before its function had answered. */
  | 'cancelled'
  | 'expired';

/** Why the response is not available; undefined if it is. */
export function goneReason({ outcome }: EndedCall, kept: boolean): GoneReason | undefined {
  if (outcome.status === 'cancelled' || outcome.status === 'expired') {
    return outcome.status;
  }
  if (!kept) {
    return 'not_kept';
  }
  const gone = bodyGone(outcome);
  if (gone !== undefined) {
    return gone === 'not_recorded' ? 'not_recorded' : 'too_large';
  }
  return outcome.reason === 'response_too_large' ? 'too_large' : undefined;
}
