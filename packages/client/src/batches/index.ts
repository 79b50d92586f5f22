// Batches: many calls with one request, and one end.

export type { BatchResult } from './batch-result.ts';
export { Batches, type BatchResultOptions, type BatchWaitOptions } from './batches.ts';
export { type BatchCall, type BatchOptions, type BatchReceipt, makeBatch, makeGroup } from './make-batch.ts';
