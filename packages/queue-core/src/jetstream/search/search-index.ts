import type { CallIndex, CallKey } from '../../search/index.ts';

/** What a search is made in: messages about calls, sorted by when their calls were accepted. */
export interface SearchIndex {
  readonly stream: string;
  /** What its messages are: calls in their queue, or outcomes. */
  readonly kind: 'call' | 'outcome';
  readonly entries: CallIndex;
  /** First sequence of the stream that counts. */
  readonly first: number;
  /** All calls that were accepted later are in the index: Unix time in microseconds; negative infinity if all are. */
  readonly bound: number;
  /** Whether the stream has more than the index covers, and there is room. */
  readonly canExtend: boolean;
  /** Whether calls are left out for good, because there are too many. */
  readonly isCapped: boolean;
  /** Catches up with the stream. Throws `QueueError`. */
  refresh(): Promise<void>;
  /** Reaches further back. Throws `QueueError`. */
  extend(): Promise<void>;
  /** Removes entries of a key whose messages were not found. */
  forget(key: CallKey, sequences: ReadonlySet<number>): void;
}
