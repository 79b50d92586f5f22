interface Waiter {
  count: number;
  resolve: () => void;
}

/** A list that can be waited on: tests wait for the n-th entry and need no polling. */
export class Recorder<T> {
  readonly #entries: T[] = [];
  readonly #waiters = new Set<Waiter>();

  /** All entries so far, oldest first. The list is live. */
  get entries(): readonly T[] {
    return this.#entries;
  }

  record(entry: T): void {
    this.#entries.push(entry);
    for (const waiter of this.#waiters) {
      if (this.#entries.length >= waiter.count) {
        waiter.resolve();
      }
    }
  }

  /** Resolves with the entries once there are at least `count`; rejects after `timeoutMs`, saying how many came. */
  async waitFor(count: number, what: string, timeoutMs: number): Promise<readonly T[]> {
    if (this.#entries.length >= count) {
      return this.#entries;
    }
    return await new Promise((resolve, reject) => {
      const settle = (finish: () => void) => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        finish();
      };
      const giveUp = () =>
        reject(new Error(`waited ${timeoutMs} ms for ${count} ${what}, ${this.#entries.length} came`));
      const timer = setTimeout(() => settle(giveUp), timeoutMs);
      const waiter: Waiter = { count, resolve: () => settle(() => resolve(this.#entries)) };
      this.#waiters.add(waiter);
    });
  }
}
