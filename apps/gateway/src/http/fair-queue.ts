import { RoundRobin } from '@asyncfn/queue-core';

export interface FairQueueOptions<T> {
  /** How much may begin in one tick of the event loop. */
  readonly perTick: number;
  /** Begins with one of those that wait. It may add itself again. */
  readonly begin: (item: T) => void;
}

/**
 * Bounds what begins in one tick of the event loop, and decides what begins in the next one. Those who ask take turns, however
 * much each of them has waiting, and so does what one of them has waiting: who floods waits for itself.
 */
export class FairQueue<T> {
  readonly #options: FairQueueOptions<T>;
  readonly #waiting = new RoundRobin<T>();
  #begun = 0;
  #isScheduled = false;

  constructor(options: FairQueueOptions<T>) {
    this.#options = options;
  }

  /** Whether something that has just come may begin at once. If so, it counts as begun. */
  pass(): boolean {
    if (!this.#waiting.isEmpty || this.#begun >= this.#options.perTick) {
      return false;
    }
    this.#begun += 1;
    this.#schedule();
    return true;
  }

  /** Has the item begun with when it is its turn, before the event loop reads from sockets again if there is room. */
  add(item: T, submitter: string): void {
    this.#waiting.add(item, submitter);
    this.#schedule();
  }

  /** It waits no longer. */
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
