import type { CallFilter } from '@asyncfn/queue-core';
import type { LivingCall, LivingCalls } from '@asyncfn/queue-core/jetstream';

/** The calls of one selection, read part by part. */
export interface LivingScan {
  readonly parts: AsyncGenerator<LivingCall[], void, void>;
  /** Whether a selected call was read and could not be cancelled. */
  hasLeft: boolean;
}

interface KeptScan {
  readonly key: string;
  readonly scan: LivingScan;
  readonly timer: NodeJS.Timeout;
}

/** How long a scan waits to be continued, in milliseconds. */
const keptMs = 60_000;

/**
 * Keeps the scan that was cut last, so that the same request continues it: from the beginning of a long queue, no number of
 * requests would reach its end. Only one, because it holds a part of the queue.
 */
export class LivingScans {
  readonly #living: Pick<LivingCalls, 'each'>;
  #kept: KeptScan | undefined;

  constructor(living: Pick<LivingCalls, 'each'>) {
    this.#living = living;
  }

  /** The scan that was kept under the key, or a new one. */
  open(key: string, filter: CallFilter): LivingScan {
    const kept = this.#kept;
    if (kept?.key !== key) {
      return { parts: this.#living.each(filter), hasLeft: false };
    }
    clearTimeout(kept.timer);
    this.#kept = undefined;
    return kept.scan;
  }

  keep(key: string, scan: LivingScan): void {
    this.#drop();
    this.#kept = { key, scan, timer: setTimeout(() => this.#drop(), keptMs).unref() };
  }

  #drop(): void {
    clearTimeout(this.#kept?.timer);
    void this.#kept?.scan.parts.return();
    this.#kept = undefined;
  }
}
