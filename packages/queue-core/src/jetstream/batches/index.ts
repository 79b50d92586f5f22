// Stores and reads the records of batches, and counts the ends of their calls.

export { BatchRetention } from './batch-retention.ts';
export { type BatchDelivery, type BatchNotice, BatchSource, batchStatesConsumer } from './batch-source.ts';
export { BatchStore, type StoredBatch } from './batch-store.ts';
export { LostEnds } from './lost-ends.ts';
