import { QueueError } from '../../errors.ts';
import type { QueueLogger } from './queue-logger.ts';

/** Consecutive tries that may fail without a warning: the broker may start a moment after us. */
const calmTries = 3;
/** Longest silence during a series of retries, in milliseconds. */
const longestSilenceMs = 5 * 60_000;

/**
 * Logs an operation that has failed and is retried. A lasting failure is logged each time its duration has doubled, and
 * at least every five minutes; another failure at once.
 */
export class RetryLog {
  readonly #logger: QueueLogger;
  readonly #message: string;
  readonly #now: () => number;
  #tries = 0;
  #since = 0;
  #nextAt = 0;
  #reason = '';

  /** @param now monotonic clock in milliseconds */
  constructor(logger: QueueLogger, message: string, now: () => number = performance.now.bind(performance)) {
    this.#logger = logger;
    this.#message = message;
    this.#now = now;
  }

  /** One more try has failed. */
  failed(err: unknown, fields: object): void {
    const now = this.#now();
    const reason = err instanceof QueueError ? err.message : String(err);
    this.#since = this.#tries === 0 ? now : this.#since;
    this.#tries += 1;
    if (reason === this.#reason && now < this.#nextAt) {
      return;
    }
    this.#reason = reason;
    this.#nextAt = now + Math.min(now - this.#since, longestSilenceMs);
    this.#logger[this.#tries <= calmTries ? 'info' : 'warn']({ err, ...fields }, this.#message);
  }

  /** It has worked: the next failure is a new one. */
  succeeded(): void {
    this.#tries = 0;
    this.#reason = '';
  }
}
