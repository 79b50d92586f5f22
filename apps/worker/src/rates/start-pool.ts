import type { Rate } from '@asyncfn/units';

/** A start that one attempt has, and when it was used: infinite until that is known. Monotonic, in milliseconds. */
export interface Use {
  at: number;
}

/** A request counts as received after this part of the period, if the function has not answered by then. */
const receivedPart = 0.05;
const receivedMs = 50;

/**
 * The starts that a worker holds: cold ones can be used, hot ones were used less than a period ago, and open ones belong
 * to attempts whose request may not have reached the function yet.
 */
export class StartPool {
  #held = 0;
  #open = 0;
  #hot: Use[] = [];
  /** Of `#hot`; the ones before it are cold. */
  #first = 0;
  /** The smallest number of cold starts since `lowSince`. */
  #low = 0;
  lowSince = 0;
  rate: Rate;

  constructor(rate: Rate) {
    this.rate = rate;
  }

  get held(): number {
    return this.#held;
  }

  get open(): number {
    return this.#open;
  }

  cold(now: number): number {
    this.#cool(now);
    return this.#held - this.#open - (this.#hot.length - this.#first);
  }

  /** When the next hot start becomes cold; undefined if none is hot. */
  get nextColdAt(): number | undefined {
    const next = this.#hot[this.#first];
    return next && next.at + this.rate.periodMs;
  }

  /** Cold starts that were not needed since `lowSince`. */
  spare(now: number): number {
    return Math.min(this.#low, this.cold(now));
  }

  /** Starts the search for spare starts again. */
  watchSpare(now: number): void {
    this.#low = this.cold(now);
    this.lowSince = now;
  }

  add(count: number): void {
    this.#held += count;
  }

  /** Takes a cold start. */
  take(now: number): Use {
    this.#open += 1;
    this.#low = Math.min(this.#low, this.cold(now));
    return { at: Number.POSITIVE_INFINITY };
  }

  /** The request is on its way over an open connection, perhaps for the second time. */
  sent(use: Use, now: number): void {
    this.#used(use, now + Math.min(receivedMs, this.rate.periodMs * receivedPart));
  }

  /** The function has answered, or the attempt has ended otherwise. */
  ended(use: Use, now: number): void {
    this.#used(use, Math.min(use.at, now));
  }

  /** The start was not used. */
  release(use: Use): void {
    if (use.at === Number.POSITIVE_INFINITY) {
      this.#open -= 1;
      use.at = Number.NEGATIVE_INFINITY;
    }
  }

  /** Keeps at most so many starts, and those that are open. Returns when each hot one that it gives up was used. */
  keep(most: number, now: number): number[] {
    const cold = this.cold(now);
    const excess = Math.max(0, Math.min(this.#held - this.#open, this.#held - most));
    this.#held -= excess;
    const hot = this.#hot.splice(this.#first, Math.max(0, excess - cold));
    this.#low = Math.min(this.#low, this.cold(now));
    return hot.map(({ at }) => at);
  }

  /** Gives up hot starts that stay hot for longer than this. Returns when each was used. */
  giveUpHot(longerMs: number, now: number): number[] {
    this.#cool(now);
    const until = now + longerMs - this.rate.periodMs;
    const given = this.#hot.slice(this.#first).filter(({ at }) => at > until);
    this.#hot = this.#hot.slice(this.#first).filter(({ at }) => at <= until);
    this.#first = 0;
    this.#held -= given.length;
    return given.map(({ at }) => at);
  }

  #used(use: Use, at: number): void {
    if (use.at === Number.POSITIVE_INFINITY) {
      this.#open -= 1;
      this.#hot.push(use);
    }
    use.at = at;
  }

  /** Uses are in the order of their ends, but for some milliseconds: then a start is cold as much later. */
  #cool(now: number): void {
    while (this.#first < this.#hot.length && (this.nextColdAt ?? 0) <= now) {
      this.#first += 1;
    }
    if (this.#first > 64 && this.#first * 2 > this.#hot.length) {
      this.#hot = this.#hot.slice(this.#first);
      this.#first = 0;
    }
  }
}
