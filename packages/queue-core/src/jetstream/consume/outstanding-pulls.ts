interface OpenRequest {
  readonly count: number;
  readonly endsAt: number;
}

/**
 * Counts how many calls have been asked for and not come yet, for one consumer.
 *
 * JetStream serves its requests round robin and does not say which of them a message answers, so only the sum is kept:
 * what was asked for, less what came, less what the broker said it leaves unfilled. A request that is filled ends
 * without a word, so it stays listed until it must have ended. What is listed bounds the sum, and that mends it should
 * the broker's word get lost, or say no number.
 */
export class OutstandingPulls {
  readonly #requests = new Map<string, OpenRequest>();
  /** Sum of the listed requests. */
  #asked = 0;
  #open = 0;

  /** Calls asked for that may still come. */
  get open(): number {
    return this.#open;
  }

  /** Calls have been asked for, by a request that has ended at `endsAt` whatever happens. */
  request(id: string, count: number, endsAt: number): void {
    this.#requests.set(id, { count, endsAt });
    this.#asked += count;
    this.#open += count;
  }

  /** A call has come. */
  received(): void {
    this.#lowerTo(this.#open - 1);
  }

  /** The broker has ended a request. `unfilled` is what it says it has not delivered; undefined where it says nothing. */
  ended(id: string, unfilled: number | undefined): void {
    const request = this.#requests.get(id);
    if (request === undefined) {
      return;
    }
    this.#drop(id, request);
    this.#lowerTo(this.#open - Math.min(unfilled ?? 0, request.count));
  }

  /** Drops requests that must have ended by now; returns whether fewer calls may come than was thought. */
  expire(now: number): boolean {
    const before = this.#open;
    for (const [id, request] of this.#requests) {
      if (request.endsAt <= now) {
        this.#drop(id, request);
      }
    }
    this.#lowerTo(this.#open);
    return this.#open < before;
  }

  /** The connection or the consumer is gone, and all requests with it. */
  clear(): void {
    this.#requests.clear();
    this.#asked = 0;
    this.#open = 0;
  }

  #drop(id: string, { count }: OpenRequest): void {
    this.#requests.delete(id);
    this.#asked -= count;
  }

  #lowerTo(open: number): void {
    this.#open = Math.max(0, Math.min(open, this.#asked));
    if (this.#open === 0) {
      this.clear();
    }
  }
}
