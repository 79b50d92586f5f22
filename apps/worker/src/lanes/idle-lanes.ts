/** The state of a lane at one check. */
export interface LaneSighting {
  /** No call waits, and none is in flight. */
  readonly idle: boolean;
  /** Changes with every delivery, even of calls that came and went between two looks. */
  readonly deliveredSequence: number;
}

/** Remembers how long lanes that need not exist have been idle. */
export class IdleLanes {
  readonly #seen = new Map<string, { readonly since: number; readonly deliveredSequence: number }>();

  /**
   * How long the lane has been idle, in milliseconds.
   * @param now any clock in milliseconds that does not jump
   */
  see(key: string, { idle, deliveredSequence }: LaneSighting, now: number): number {
    const before = this.#seen.get(key);
    if (!idle) {
      this.#seen.delete(key);
      return 0;
    }
    const since = before?.deliveredSequence === deliveredSequence ? before.since : now;
    this.#seen.set(key, { since, deliveredSequence });
    return now - since;
  }

  /** The lane is gone, or must exist. */
  forget(key: string): void {
    this.#seen.delete(key);
  }
}
