import type { QueueCount } from '@asyncfn/queue-core/jetstream';

/** Messages a second that enter and leave a queue: calls, and each retry as one more. */
export interface Rates {
  readonly inPerSecond: number;
  readonly outPerSecond: number;
}

interface Sample extends Omit<QueueCount, 'queue'> {
  readonly at: number;
}

/** The period of the rates, in milliseconds. */
const windowMs = 60_000;

/** Rates of the queues over the last minute, from periodic counts. */
export class QueueRates {
  readonly #samples = new Map<string, Sample[]>();

  /** @param now monotonic clock in milliseconds */
  take(counts: readonly QueueCount[], now: number): void {
    const gone = new Set(this.#samples.keys());
    for (const { queue, stored, held } of counts) {
      gone.delete(queue);
      const before = this.#samples.get(queue) ?? [];
      // A stream with a lower count than before is a new one.
      const isSame = (before.at(-1)?.stored ?? 0) <= stored;
      const kept = isSame ? before.filter(({ at }) => now - at < windowMs) : [];
      this.#samples.set(queue, [...kept, { stored, held, at: now }]);
    }
    for (const queue of gone) {
      this.#samples.delete(queue);
    }
  }

  /** Zeros until there are two counts to compare. */
  of(queue: string): Rates {
    const samples = this.#samples.get(queue) ?? [];
    const [first, last] = [samples[0], samples.at(-1)];
    if (first === undefined || last === undefined || last.at <= first.at) {
      return { inPerSecond: 0, outPerSecond: 0 };
    }
    const seconds = (last.at - first.at) / 1000;
    const stored = last.stored - first.stored;
    return { inPerSecond: round(stored / seconds), outPerSecond: round((stored - (last.held - first.held)) / seconds) };
  }
}

function round(rate: number): number {
  return Math.round(Math.max(0, rate) * 100) / 100;
}
