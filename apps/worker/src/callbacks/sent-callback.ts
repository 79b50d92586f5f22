import type { CallbackVerdict } from './settle-callback.ts';

/** What became of one delivery. */
export interface SentCallback {
  readonly verdict: CallbackVerdict;
  /** Of the receiver; undefined where it did not answer. */
  readonly status: number | undefined;
  /** Whether it answered at all, with HTTP or something else. */
  readonly answered: boolean;
}
