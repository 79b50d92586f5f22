const DEFAULT_MAX_CALLS = 10_000;

/** Counts requests per call id. Beyond `maxCalls` ids it forgets the id that was not used for the longest time. */
export class CallCounters {
  readonly #maxCalls: number;
  readonly #counts = new Map<string, number>();

  constructor(maxCalls = DEFAULT_MAX_CALLS) {
    this.#maxCalls = maxCalls;
  }

  /** Counts one more; the first is 1. */
  next(callId: string): number {
    const count = (this.#counts.get(callId) ?? 0) + 1;
    // A Map keeps the order of insertion: an entry that is put back is the newest one.
    this.#counts.delete(callId);
    this.#counts.set(callId, count);
    if (this.#counts.size > this.#maxCalls) {
      this.#forgetOldest();
    }
    return count;
  }

  #forgetOldest(): void {
    for (const callId of this.#counts.keys()) {
      this.#counts.delete(callId);
      return;
    }
  }
}
