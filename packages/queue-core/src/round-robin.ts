/**
 * Waiting entries of submitters. Submitters take turns, however many entries each of them has waiting, so one that
 * floods the queue only waits for itself. The entries of one submitter keep their order.
 */
export class RoundRobin<T> {
  /** The next submitter is the first one. A submitter that was served goes to the end. */
  readonly #waiting = new Map<string, Set<T>>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** The number of waiting entries of one submitter. */
  countOf(submitter: string): number {
    return this.#waiting.get(submitter)?.size ?? 0;
  }

  add(item: T, submitter: string): void {
    const items = this.#waiting.get(submitter);
    if (items === undefined) {
      this.#waiting.set(submitter, new Set([item]));
    } else {
      items.add(item);
    }
  }

  /** Removes a waiting entry. */
  delete(item: T, submitter: string): void {
    const items = this.#waiting.get(submitter);
    if (items?.delete(item) && items.size === 0) {
      this.#waiting.delete(submitter);
    }
  }

  /**
   * Removes and returns the next entry; undefined if none waits.
   * @param mayBegin submitters whose entries may be taken. Default: all
   */
  take(mayBegin: (submitter: string) => boolean = () => true): T | undefined {
    for (const [submitter, items] of this.#waiting) {
      if (!mayBegin(submitter)) {
        continue;
      }
      this.#waiting.delete(submitter);
      for (const item of items) {
        items.delete(item);
        if (items.size > 0) {
          this.#waiting.set(submitter, items);
        }
        return item;
      }
    }
    return undefined;
  }
}
