interface OpenRequest {
  readonly count: number;
  readonly endsAt: number;
}

/**
 * Counts how many calls have been asked for and not come yet, for one consumer.
 *
 * JetStream serves its requests round robin and does not say which of them a message answers, so only the sum is kept:
 * what was requested, less what came, less what the broker said it leaves unfilled. The broker does not report the end
 * of a filled request, so the request stays listed until it must have ended. The listed requests bound the sum, which
 * corrects it if the broker's report is lost or has no number.
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

  /** Adds a request for calls, which ends at `endsAt` at the latest. */
  request(id: string, count: number, endsAt: number): void {
    this.#requests.set(id, { count, endsAt });
    this.#asked += count;
    this.#open += count;
  }

  /** A call has come. */
  received(): void {
    this.#lowerTo(this.#open - 1);
  }

  /**
   * The broker has ended a request. `unfilled` is how many calls it has not delivered; undefined if it does not say.
   */
  ended(id: string, unfilled: number | undefined): void {
    const request = this.#requests.get(id);
    if (request === undefined) {
      return;
    }
    this.#drop(id, request);
    this.#lowerTo(this.#open - Math.min(unfilled ?? 0, request.count));
  }

  /** Drops requests that must have ended by now; returns whether this lowers `open`. */
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
