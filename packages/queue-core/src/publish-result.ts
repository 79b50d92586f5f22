/** Why a message was not stored, or may not have been stored. */
export type RefusalReason =
  /** The broker is away, or was lost while we waited: it is unknown whether the message was stored. */
  | 'unavailable'
  /** No answer in time: it is unknown whether the message was stored. */
  | 'timeout'
  /** Too many messages already wait for an answer. */
  | 'overloaded'
  /** The queue or the broker's storage is full. */
  | 'queue_full'
  /** The function has its maximum of waiting calls. */
  | 'too_many_pending'
  /** The submitter has its maximum of unregistered names. */
  | 'too_many_names'
  /** The queue has its maximum of functions. */
  | 'too_many_functions'
  /** The message is larger than the broker takes. */
  | 'too_large'
  /** The expectation about the subject does not hold: for a new call, that its id is not in use. */
  | 'conflict'
  /**
   * It may conflict with a message that the other replicas have not confirmed yet: send it again, or look for that
   * message.
   */
  | 'undecided';

/** The result of a publish. Only `stored` may become a 202 (P1). */
export type PublishResult =
  | { readonly kind: 'stored'; readonly sequence: number; readonly duplicate: boolean }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly detail: string };

const uncertain: ReadonlySet<RefusalReason> = new Set(['timeout', 'unavailable', 'undecided']);

/** Whether a message that was refused for this reason may be stored nevertheless: already, or when it arrives. */
export function mayBeStored(reason: RefusalReason): boolean {
  return uncertain.has(reason);
}

export function refused(reason: RefusalReason, detail: string): Extract<PublishResult, { readonly kind: 'refused' }> {
  return { kind: 'refused', reason, detail };
}
