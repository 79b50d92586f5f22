import { type ReceiptBatch, receiptBatchCodec } from '../../records/index.ts';
import { type SourceOptions, toWorkDelivery, type WorkDelivery, WorkSource } from '../consume/index.ts';
import { receiptStream } from '../layout/index.ts';

/** Receipts that a worker has received. */
export type ReceiptDelivery = WorkDelivery<ReceiptBatch>;

/** Takes receipts of accepted calls. */
export class ReceiptSource extends WorkSource<ReceiptDelivery> {
  constructor(options: SourceOptions) {
    super(options, {
      stream: receiptStream,
      consumer: 'receipts',
      filter: 'receipts.accepted.*',
      toDelivery: (message) => toWorkDelivery(message, receiptBatchCodec),
    });
  }
}
