/**
 * What waits, by who asked for it. Those who ask take turns, however much each of them has waiting, and so does what one of
 * them has waiting: who floods waits for itself.
 */
export class RoundRobin<T> {
  /** Both take turns: what was taken goes to the end. */
  readonly #waiting = new Map<string, Set<T>>();

  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** How much waits for one who asked. */
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

  /** It waits no longer. */
  delete(item: T, submitter: string): void {
    const items = this.#waiting.get(submitter);
    if (items?.delete(item) && items.size === 0) {
      this.#waiting.delete(submitter);
    }
  }

  /**
   * Takes out what is next; undefined if nothing waits.
   * @param mayBegin submitters of whom something may be taken. Default: all
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
