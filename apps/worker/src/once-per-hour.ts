const hourMs = 60 * 60 * 1_000;
/** With more names than this within an hour, the oldest are forgotten. */
const maxNames = 1_000;

/** Limits a log line that is true for every call of a function to once an hour for each name. */
export class OncePerHour {
  readonly #now: () => number;
  /** When each name was last due, oldest first. */
  readonly #dueAt = new Map<string, number>();

  /** @param now time in milliseconds */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Whether an hour has passed since this was last true for the name. */
  isDue(name: string): boolean {
    const now = this.#now();
    const last = this.#dueAt.get(name);
    if (last !== undefined && now - last < hourMs) {
      return false;
    }
    this.#dueAt.delete(name);
    this.#dueAt.set(name, now);
    const [oldest] = this.#dueAt.keys();
    if (this.#dueAt.size > maxNames && oldest !== undefined) {
      this.#dueAt.delete(oldest);
    }
    return true;
  }
}
