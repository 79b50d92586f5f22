/** How a lane stands at one look. */
export interface LaneSighting {
  /** Nothing waits to be taken, and nothing is in flight. */
  readonly idle: boolean;
  /** Changes with every call that is handed out, also with those that came and went between two looks. */
  readonly deliveredSequence: number;
}

/** Remembers since when lanes that need not be there have had nothing to do. */
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

  /** The lane is gone, or has to be there. */
  forget(key: string): void {
    this.#seen.delete(key);
  }
}
