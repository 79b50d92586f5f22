import { forEachLimited, type Receipt, type ReceiptBatch } from '@asyncfn/queue-core';
import type { ReceiptDelivery, ReceiptStore } from '@asyncfn/queue-core/jetstream';
import { type Logger, sleep } from '@asyncfn/service-kit';
import type { AuditFinding, WorkerMetrics } from '../metrics.ts';

export interface CallAuditOptions {
  readonly store: Pick<ReceiptStore, 'put' | 'find' | 'reportMissing'>;
  readonly metrics: Pick<WorkerMetrics, 'audited'>;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly sleep?: typeof sleep;
}

/** Outcomes are kept for at least ten minutes: a call that was accepted longer ago may have ended and be forgotten. */
const rememberedMs = 9 * 60_000;
const longestWaitMs = 4 * 60_000;
/**
 * Waits before missing calls are looked up again: a leader that has just been elected, or was paused, may not show yet
 * everything that its stream has.
 */
const confirmWaitsMs = [1_000, 2_000, 5_000];
/** Longer than most elections, for the same reason. */
const retryDelayMs = 5_000;
const maxConcurrent = 4;

/**
 * Checks the promise that nothing accepted is lost (P2): follows calls by their receipts until each has ended. It
 * reports a call that is neither in its queue nor ended; metrics show these as drift. The broker keeps the receipts, so
 * the audit goes on whichever process dies.
 */
export class CallAudit {
  readonly #options: CallAuditOptions;
  readonly #sleep: typeof sleep;

  constructor(options: CallAuditOptions) {
    this.#options = options;
    this.#sleep = options.sleep ?? sleep;
  }

  /** Follows the calls of a batch, and settles its delivery. Never rejects. */
  async take(delivery: Pick<ReceiptDelivery, 'ack' | 'nak'>, batch: ReceiptBatch): Promise<void> {
    const { logger, now } = this.#options;
    if (batch.dueAt > now()) {
      // At most the whole wait: the clock may have been set since.
      delivery.nak(Math.min(batch.dueAt - now(), batch.waitMs));
      return;
    }
    try {
      await this.#audit(batch);
      delivery.ack();
    } catch (err) {
      logger.warn({ err }, 'accepted calls cannot be looked for yet');
      delivery.nak(retryDelayMs);
    }
  }

  async #audit(batch: ReceiptBatch): Promise<void> {
    const { store, metrics, now } = this.#options;
    const isLate = (): boolean => now() - (batch.dueAt - batch.waitMs) > rememberedMs;
    const held: Receipt[] = [];
    for (const [receipt, finding] of await this.#findAll(batch.receipts, isLate)) {
      if (finding === 'held') {
        held.push(receipt);
        continue;
      }
      if (finding === 'missing') {
        await this.#report(receipt);
      }
      metrics.audited(finding);
    }
    if (held.length > 0) {
      const waitMs = Math.min(longestWaitMs, batch.waitMs * 2);
      const result = await store.put({ v: 1, receipts: held, dueAt: now() + waitMs, waitMs });
      if (result.kind === 'refused') {
        throw new Error(`receipts cannot be stored: ${result.reason}`);
      }
    }
  }

  /**
   * Where each call is. Those that seem to be missing are looked for again.
   * @param isLate called after each look, since the look itself may have taken long
   */
  async #findAll(receipts: readonly Receipt[], isLate: () => boolean): Promise<Map<Receipt, AuditFinding>> {
    const findings = new Map<Receipt, AuditFinding>();
    const look = (some: readonly Receipt[]): Promise<void> =>
      forEachLimited(some, maxConcurrent, async (receipt) => {
        const found = await this.#options.store.find(receipt);
        findings.set(receipt, found === 'missing' && isLate() ? 'unknown' : found);
      });
    const missing = (): Receipt[] => receipts.filter((receipt) => findings.get(receipt) === 'missing');
    await look(receipts);
    for (const waitMs of confirmWaitsMs) {
      if (missing().length === 0) {
        break;
      }
      await this.#sleep(waitMs);
      await look(missing());
    }
    return findings;
  }

  async #report(receipt: Receipt): Promise<void> {
    const { store, logger } = this.#options;
    logger.error({ ...receipt }, 'accepted call is neither queued nor ended');
    const result = await store.reportMissing(receipt);
    if (result.kind === 'refused') {
      throw new Error(`a missing call cannot be reported: ${result.reason}`);
    }
  }
}
