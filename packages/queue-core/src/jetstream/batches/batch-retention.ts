import type { BatchKey } from '../../batches/index.ts';
import { ownerOf } from '../../call/index.ts';
import type { BatchStore } from './batch-store.ts';

/** The records of a batch that must be kept. */
export interface KeptOfBatch {
  /** The outcomes of its calls, and their marks. */
  readonly calls: boolean;
  /** Its state, items, key and end. */
  readonly records: boolean;
}

const nothing: KeptOfBatch = { calls: false, records: false };

/**
 * Says what of a batch must be kept: everything until it has ended, its results for as long as those of calls after
 * that, and its answer as long as its `Idempotency-Key`. One instance reads each batch once.
 */
export class BatchRetention {
  readonly #batches: Pick<BatchStore, 'findState' | 'findEnd'>;
  readonly #known = new Map<string, Promise<KeptOfBatch>>();

  constructor(batches: Pick<BatchStore, 'findState' | 'findEnd'>) {
    this.#batches = batches;
  }

  /**
   * Throws `QueueError`.
   * @param now Unix time in milliseconds
   * @param keptMs how long results are kept
   */
  keeps(of: BatchKey, now: number, keptMs: number): Promise<KeptOfBatch> {
    const key = `${of.batchId}.${ownerOf(of.submitter)}`;
    const known = this.#known.get(key) ?? this.#decide(of, now, keptMs);
    this.#known.set(key, known);
    return known;
  }

  async #decide(of: BatchKey, now: number, keptMs: number): Promise<KeptOfBatch> {
    const found = await this.#batches.findState(of);
    if (found === undefined) {
      return nothing;
    }
    const { state, storedAtMs } = found;
    if (state.phase !== 'sealed') {
      // Its gateway renews the state as long as it accepts items.
      const isYoung = storedAtMs > now - keptMs;
      return { calls: isYoung, records: isYoung };
    }
    const end = await this.#batches.findEnd(of);
    const calls = end === undefined || end.endedAt > now - keptMs;
    return { calls, records: calls || (state.keptUntil ?? 0) > now };
  }
}
