import type { FunctionConfig } from '../../functions/index.ts';
import { isExhausted } from '../../rates/index.ts';
import type { RateStore } from './rate-store.ts';

export interface RateWatchOptions {
  readonly store: Pick<RateStore, 'read'>;
  /** A function under any of its names; undefined if it is not known. */
  readonly lookup: (name: string) => Pick<FunctionConfig, 'name' | 'rate'> | undefined;
  /** The earliest that it can be at the broker: Unix time in milliseconds. */
  readonly earliest: () => number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** How long an answer is reused, in milliseconds: a list of a thousand calls reads a ledger once. */
const knownMs = 500;
/** Functions whose answers are kept. */
const maxKnown = 1_000;

/** Tells whether calls wait because of the rate of their function. A function without one costs nothing. */
export class RateWatch {
  readonly #options: RateWatchOptions;
  readonly #now: () => number;
  readonly #known = new Map<string, { readonly at: number; readonly answer: Promise<boolean> }>();

  constructor(options: RateWatchOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
  }

  /** Whether more calls of the function could begin than its rate allows. Throws `QueueError`. */
  async isExhausted(calledBy: string): Promise<boolean> {
    const { name, rate } = this.#options.lookup(calledBy) ?? {};
    if (name === undefined || rate === undefined) {
      return false;
    }
    const known = this.#known.get(name);
    if (known !== undefined && this.#now() - known.at < knownMs) {
      return await known.answer;
    }
    const { store, earliest } = this.#options;
    const answer = store.read(name).then(({ ledger }) => isExhausted(ledger, rate, earliest()));
    this.#known.delete(name);
    this.#known.set(name, { at: this.#now(), answer });
    const [oldest = name] = this.#known.size > maxKnown ? this.#known.keys() : [];
    if (oldest !== name) {
      this.#known.delete(oldest);
    }
    return await answer;
  }
}
