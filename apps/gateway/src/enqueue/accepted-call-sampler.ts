import { type Call, identityOf, type Receipt } from '@asyncfn/queue-core';
import type { ReceiptStore } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';

export interface AcceptedCallSamplerOptions {
  /** Most calls of a page. More are a sample in which each has the same chance to be. Default 50. */
  readonly limit?: number;
  /** Gives numbers from 0 to 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Unix time in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** How long after its acceptance a call is looked for, in milliseconds. */
const firstLookMs = 2_000;

/**
 * Remembers which calls were accepted since the last page was handed over, so that workers can check that none of them is
 * lost (P2). Of very many it keeps a fair sample (reservoir sampling, Vitter's algorithm R): what is checked costs the
 * broker the same however large the load is.
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

  /** Puts the page where workers find it. One that cannot be stored is dropped: fewer calls are checked. */
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
