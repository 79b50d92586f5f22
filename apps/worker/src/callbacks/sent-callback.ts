import type { CallbackVerdict } from './settle-callback.ts';

/** The result of one delivery. */
export interface SentCallback {
  readonly verdict: CallbackVerdict;
  /** The receiver's status; undefined if it did not answer. */
  readonly status: number | undefined;
  /** Whether it answered at all, with HTTP or anything else. */
  readonly answered: boolean;
}
