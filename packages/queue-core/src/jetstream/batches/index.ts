// Stores and reads the records of batches, and counts the ends of their calls.

export { BatchStore, type StoredBatch } from './batch-store.ts';
