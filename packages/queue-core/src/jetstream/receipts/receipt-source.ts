import type { JsMsg } from '@nats-io/jetstream';
import { type ReceiptBatch, receiptBatchCodec } from '../../records/index.ts';
import { readHeader, type SourceOptions, WorkSource } from '../consume/index.ts';
import { receiptStream } from '../layout/index.ts';

/** Receipts that a worker has received. */
export interface ReceiptDelivery {
  /** Undefined for a message that cannot be read. */
  readonly batch: ReceiptBatch | undefined;
  /** Dealt with: the broker removes it. */
  ack(): void;
  /** Not now: the broker hands it out again after `delayMs`. */
  nak(delayMs: number): void;
}

/** Takes receipts of accepted calls. */
export class ReceiptSource extends WorkSource<ReceiptDelivery> {
  constructor(options: SourceOptions) {
    super(options, { stream: receiptStream, consumer: 'receipts', filter: 'receipts.accepted.*', toDelivery });
  }
}

function toDelivery(message: JsMsg): ReceiptDelivery {
  return {
    batch: receiptBatchCodec.decode(readHeader(message, receiptBatchCodec.header) ?? ''),
    ack: () => message.ack(),
    nak: (delayMs) => message.nak(delayMs),
  };
}
