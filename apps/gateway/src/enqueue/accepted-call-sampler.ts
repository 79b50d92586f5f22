import { type Call, identityOf, type Receipt } from '@asyncfn/queue-core';
import type { ReceiptStore } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';

export interface AcceptedCallSamplerOptions {
  /** Maximum number of calls in a page. Of more calls, the page is a uniform sample. Default 50. */
  readonly limit?: number;
  /** Returns numbers from 0 to 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Unix time in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** How long after its acceptance a call is first checked, in milliseconds. */
const firstLookMs = 2_000;

/**
 * Remembers the calls accepted since the last page was stored, so that workers can check that none of them is lost
 * (P2). Of many calls it keeps a uniform sample (reservoir sampling, Vitter's algorithm R), so the checks cost the
 * broker the same at any load.
 */
export class AcceptedCallSampler {
  readonly #store: Pick<ReceiptStore, 'put'>;
  readonly #logger: Pick<Logger, 'debug'>;
  readonly #limit: number;
  readonly #random: () => number;
  readonly #now: () => number;
  #batch: Receipt[] = [];
  #seen = 0;

  constructor(
    store: Pick<ReceiptStore, 'put'>,
    logger: Pick<Logger, 'debug'>,
    options: AcceptedCallSamplerOptions = {},
  ) {
    const { limit = 50, random = Math.random, now = Date.now } = options;
    this.#store = store;
    this.#logger = logger;
    this.#limit = limit;
    this.#random = random;
    this.#now = now;
  }

  note(call: Pick<Call, 'id' | 'submitter' | 'startTime' | 'queue' | 'function'>): void {
    this.#seen += 1;
    const place = this.#seen <= this.#limit ? this.#batch.length : Math.floor(this.#random() * this.#seen);
    if (place < this.#limit) {
      this.#batch[place] = { ...identityOf(call), queue: call.queue, function: call.function };
    }
  }

  /** Stores the page for workers. A page that cannot be stored is dropped, so fewer calls are checked. */
  async flush(): Promise<void> {
    const receipts = this.#batch;
    this.#batch = [];
    this.#seen = 0;
    if (receipts.length === 0) {
      return;
    }
    const result = await this.#store.put({ v: 1, receipts, dueAt: this.#now() + firstLookMs, waitMs: firstLookMs });
    if (result.kind === 'refused') {
      this.#logger.debug({ reason: result.reason }, 'receipts could not be stored, these calls are not audited');
    }
  }
}
