import type { IndexEntry } from '../../search/index.ts';

/** A message of a stream, and when the broker stored it. */
export interface StoredPlace {
  readonly sequence: number;
  /** Unix time in milliseconds. */
  readonly atMs: number;
}

/** What a stream has between two sequences. */
export interface StreamPart {
  readonly entries: readonly IndexEntry[];
  /** Some of the messages in order, the first one and the last one included; none for an empty part. */
  readonly places: readonly StoredPlace[];
  /** All messages up to this sequence are in it, if the replica that has answered is behind. Default: all. */
  readonly reached?: number | undefined;
}

/** A stream with messages about calls. */
export interface StreamSource {
  readonly stream: string;
  /** What its messages are: calls in their queue, or outcomes. */
  readonly kind: 'call' | 'outcome';
  /** Messages to read at once, newest ones first. */
  readonly window: number;
  /** More new messages than this are not caught up with: it is begun again at the end of the stream. */
  readonly maxTail: number;
  /** Reads all messages from one sequence to another. Throws `QueueError`. */
  read(from: number, to: number): Promise<StreamPart>;
}

/** Collects a part, message by message. */
export class PartCollector implements StreamPart {
  readonly entries: IndexEntry[] = [];
  readonly places: StoredPlace[] = [];
  reached: number | undefined;

  /** Adds messages that follow each other: where they are, and what they say about calls. */
  add<T>(
    messages: readonly T[],
    placeOf: (message: T) => StoredPlace,
    toEntry: (message: T) => IndexEntry | undefined,
  ): void {
    const [first, last] = [messages[0], messages.at(-1)];
    if (first !== undefined && last !== undefined) {
      this.places.push(placeOf(first), placeOf(last));
    }
    for (const message of messages) {
      const entry = toEntry(message);
      if (entry !== undefined) {
        this.entries.push(entry);
      }
    }
  }
}
