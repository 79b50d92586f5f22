export interface AttemptCounts {
  readonly attempts: number;
  readonly failed: number;
}

/** How long attempts count at least, in milliseconds; at most twice as long. */
const windowMs = 5 * 60_000;

/** More functions are not counted in a window: `defaults.url` allows any number of names. */
const mostFunctions = 2_000;

type Window = Map<string, { attempts: number; failed: number }>;

/** Counts the attempts of the last minutes, for each function. */
export class RecentAttempts {
  readonly #now: () => number;
  #current: Window = new Map();
  #former: Window = new Map();
  #since: number;

  /** @param now monotonic clock in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#since = now();
  }

  note(name: string, failed: boolean): void {
    this.#rotate();
    let counts = this.#current.get(name);
    if (counts === undefined) {
      if (this.#current.size >= mostFunctions) {
        return;
      }
      counts = { attempts: 0, failed: 0 };
      this.#current.set(name, counts);
    }
    counts.attempts += 1;
    counts.failed += failed ? 1 : 0;
  }

  of(name: string): AttemptCounts {
    this.#rotate();
    const [current, former] = [this.#current.get(name), this.#former.get(name)];
    return {
      attempts: (current?.attempts ?? 0) + (former?.attempts ?? 0),
      failed: (current?.failed ?? 0) + (former?.failed ?? 0),
    };
  }

  /** The functions with attempts. */
  get names(): Set<string> {
    this.#rotate();
    return new Set([...this.#current.keys(), ...this.#former.keys()]);
  }

  #rotate(): void {
    const age = this.#now() - this.#since;
    if (age < windowMs) {
      return;
    }
    this.#former = age < 2 * windowMs ? this.#current : new Map();
    this.#current = new Map();
    this.#since = this.#now();
  }
}
