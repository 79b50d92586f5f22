// Ends batches: counts the marks of their calls, stores their end and its callback.

export { buildBatches } from './build-batches.ts';
