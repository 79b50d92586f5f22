/** Why a message was not stored, or may not have been. */
export type RefusalReason =
  /** The broker is away, or was lost while we waited: whether the message was stored is not known. */
  | 'unavailable'
  /** No answer in time: whether the message was stored is not known. */
  | 'timeout'
  /** Too many messages wait for an answer already. */
  | 'overloaded'
  /** The queue or the broker's storage is full. */
  | 'queue_full'
  /** As many calls of the function wait as may wait. */
  | 'too_many_pending'
  /** The submitter has calls under as many names that are not registered as it may have. */
  | 'too_many_names'
  /** The queue has as many functions as it can have. */
  | 'too_many_functions'
  /** Larger than the broker takes. */
  | 'too_large'
  /** What was expected of the subject does not hold: for a new call, that its id is not in use. */
  | 'conflict'
  /**
   * What it may be in conflict with has still to be confirmed by the other replicas, and may come to nothing: it is to be
   * sent again, or looked for.
   */
  | 'undecided';

/** What became of a message. Anything but `stored` must never become a 202 (P1). */
export type PublishResult =
  | { readonly kind: 'stored'; readonly sequence: number; readonly duplicate: boolean }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly detail: string };

export function refused(reason: RefusalReason, detail: string): PublishResult {
  return { kind: 'refused', reason, detail };
}
