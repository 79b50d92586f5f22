/** What to do with the consumer of a function that is not registered. */
export type OrphanVerdict =
  /** Wait: a functions file may be on its way, or a mistake in it be undone. */
  | 'wait'
  /** Calls have waited long enough: end each of them. An operator can replay them from the dead letters. */
  | 'end_calls'
  /** No call waits: remove the consumer. */
  | 'remove';

/** How long a function must be gone and its queue empty before its consumer is removed. */
export const abandonedMs = 60_000;

/** How long calls wait for a function that is gone before they are ended. */
export const unknownMs = 10 * 60_000;

interface Sighting {
  readonly since: number;
  readonly emptySince: number | undefined;
}

/** Remembers since when functions have been gone, and decides what to do. */
export class OrphanLanes {
  readonly #seen = new Map<string, Sighting>();

  /** @param now any clock in milliseconds that does not jump */
  see(key: string, empty: boolean, now: number): OrphanVerdict {
    const before = this.#seen.get(key);
    const seen = { since: before?.since ?? now, emptySince: empty ? (before?.emptySince ?? now) : undefined };
    this.#seen.set(key, seen);
    if (seen.emptySince !== undefined) {
      return now - seen.emptySince >= abandonedMs ? 'remove' : 'wait';
    }
    return now - seen.since >= unknownMs ? 'end_calls' : 'wait';
  }

  /** Whether it has not been seen before. */
  isNew(key: string): boolean {
    return !this.#seen.has(key);
  }

  /** The function is registered again, or its consumer is gone. */
  forget(key: string): void {
    this.#seen.delete(key);
  }
}
