import { RoundRobin } from '@asyncfn/queue-core';

export interface FairQueueOptions<T> {
  /** Maximum number of items that start in one tick of the event loop. */
  readonly perTick: number;
  /** Starts a waiting item, which may be added again. */
  readonly begin: (item: T) => void;
}

/**
 * Limits the items that start in one tick of the event loop, and decides which start in the next one. Owners take
 * turns, however many items each has waiting, and so do the items of one owner: an owner that floods delays only
 * itself.
 */
export class FairQueue<T> {
  readonly #options: FairQueueOptions<T>;
  readonly #waiting = new RoundRobin<T>();
  #begun = 0;
  #isScheduled = false;

  constructor(options: FairQueueOptions<T>) {
    this.#options = options;
  }

  /** Whether a new item may start at once. If so, it counts as started. */
  pass(): boolean {
    if (!this.#waiting.isEmpty || this.#begun >= this.#options.perTick) {
      return false;
    }
    this.#begun += 1;
    this.#schedule();
    return true;
  }

  /** Starts the item when it is its turn, before the event loop reads from sockets again if there is room. */
  add(item: T, submitter: string): void {
    this.#waiting.add(item, submitter);
    this.#schedule();
  }

  /** Removes a waiting item. */
  delete(item: T, submitter: string): void {
    this.#waiting.delete(item, submitter);
  }

  #schedule(): void {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => this.#serve());
    }
  }

  #serve(): void {
    this.#isScheduled = false;
    this.#begun = 0;
    while (this.#begun < this.#options.perTick && this.#beginNext()) {
      this.#begun += 1;
    }
    if (!this.#waiting.isEmpty) {
      this.#schedule();
    }
  }

  #beginNext(): boolean {
    const item = this.#waiting.take();
    if (item !== undefined) {
      this.#options.begin(item);
    }
    return item !== undefined;
  }
}
