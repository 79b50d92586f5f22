import type { Msg } from '@nats-io/transport-node';
import { type ReceiptBatch, receiptBatchCodec } from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import { readHeader } from '../consume/index.ts';
import { receiptStream, type StreamWatch } from '../layout/index.ts';
import { inboxCallback } from '../messages/index.ts';
import type { ReceiptStore } from './receipt-store.ts';

/**
 * How long after it is due a batch is remembered, in milliseconds: by then a worker has taken it, or stored another
 * one.
 */
const graceMs = 5_000;
/** Most batches that are remembered, of 50 calls each. */
const maxPages = 1_000;

/**
 * Remembers the receipts that the broker holds. If the broker loses their stream, it stores them again, so that workers
 * look for the calls that were lost with it and report them as missing (P2). It receives each batch that any process
 * stores.
 */
export class ReceiptMemory {
  readonly #store: Pick<ReceiptStore, 'put'>;
  readonly #now: () => number;
  /** By subject, the oldest first. */
  readonly #pages = new Map<string, ReceiptBatch>();
  #subscribed = false;
  #isLost = false;

  /** @param now Unix time in milliseconds */
  constructor(
    broker: Pick<Broker, 'onConnect'>,
    watch: Pick<StreamWatch, 'onLost'>,
    store: Pick<ReceiptStore, 'put'>,
    now: () => number = Date.now,
  ) {
    this.#store = store;
    this.#now = now;
    broker.onConnect((connection) => {
      if (!this.#subscribed) {
        this.#subscribed = true;
        connection.subscribe('receipts.accepted.*', { callback: inboxCallback((message) => this.#hear(message)) });
      }
    });
    watch.onLost((stream) => {
      this.#isLost ||= stream === receiptStream;
    });
  }

  /** Stores lost receipts again. Call it every second while the streams exist. Never throws. */
  async restore(): Promise<void> {
    if (!this.#isLost) {
      // Only while the broker is connected: batches that were due during an outage have not been audited.
      this.#forget();
      return;
    }
    this.#isLost = false;
    const lost = [...this.#pages.values()];
    this.#pages.clear();
    for (const batch of lost) {
      const result = await this.#store.put({ ...batch, dueAt: this.#now() });
      if (result.kind === 'refused') {
        this.#pages.set(`unstored.${this.#pages.size}`, batch);
        this.#isLost = true; // the next round tries again
      }
    }
  }

  #hear(message: Msg): void {
    const batch = receiptBatchCodec.decode(readHeader(message, receiptBatchCodec.header) ?? '');
    if (batch === undefined) {
      return; // the audit logs it
    }
    this.#pages.set(message.subject, batch);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > maxPages && oldest !== undefined) {
      this.#pages.delete(oldest);
    }
  }

  #forget(): void {
    const now = this.#now();
    for (const [subject, { dueAt }] of this.#pages) {
      if (dueAt + graceMs < now) {
        this.#pages.delete(subject);
      }
    }
  }
}
