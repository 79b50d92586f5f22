import type { RequestHandler } from '../servers/index.ts';

interface Change {
  /** In `performance.now()` milliseconds. */
  readonly at: number;
  /** Requests from then on. */
  readonly count: number;
}

/** Follows how many requests a function works on at once. */
export class Occupancy {
  readonly #changes: Change[] = [];
  #count = 0;
  #most = 0;
  #refused = 0;

  /** Requests at the moment. */
  get count(): number {
    return this.#count;
  }

  /** The most at once. */
  get most(): number {
    return this.#most;
  }

  /** Requests that were answered 429 because there were too many. */
  get refused(): number {
    return this.#refused;
  }

  /** When the first request came and when the last one has ended so far, in `performance.now()` milliseconds. */
  get span(): { readonly from: number; readonly to: number } {
    return { from: this.#changes[0]?.at ?? Number.NaN, to: this.#changes.at(-1)?.at ?? Number.NaN };
  }

  /** Follows a function with this behaviour. With a capacity, it answers 429 beyond it. */
  follow(behaviour: RequestHandler, capacity: () => number = () => Number.POSITIVE_INFINITY): RequestHandler {
    return async (request, response) => {
      if (this.#count >= capacity()) {
        this.#refused += 1;
        response.writeHead(429).end();
        return;
      }
      this.#change(1);
      try {
        await behaviour(request, response);
      } finally {
        this.#change(-1);
      }
    };
  }

  /** Requests at once in the mean of the time between two moments. */
  mean(from: number, to: number): number {
    let sum = 0;
    for (const [index, { at, count }] of this.#changes.entries()) {
      const until = this.#changes[index + 1]?.at ?? to;
      sum += count * Math.max(0, Math.min(until, to) - Math.max(at, from));
    }
    return sum / (to - from);
  }

  /** The means of all stretches of `stepMs` between two moments. */
  means(from: number, to: number, stepMs: number): number[] {
    const steps = Math.floor((to - from) / stepMs);
    return Array.from({ length: steps }, (_, index) => this.mean(from + index * stepMs, from + (index + 1) * stepMs));
  }

  #change(by: number): void {
    this.#count += by;
    this.#most = Math.max(this.#most, this.#count);
    this.#changes.push({ at: performance.now(), count: this.#count });
  }
}

/**
 * Jain's fairness index of shares: 1 where all are equal, 1/n where one has everything.
 * @see https://www.rfc-editor.org/rfc/rfc5166#section-2.3.1
 */
export function jainIndex(shares: readonly number[]): number {
  const sum = shares.reduce((total, share) => total + share, 0);
  const squares = shares.reduce((total, share) => total + share * share, 0);
  return (sum * sum) / (shares.length * squares);
}
