// Shows a batch: its state, events and results; and cancels it.

export { sendResults } from './batch-results.ts';
export { cancelBatch } from './cancel-batch.ts';
export { findBatch, readView } from './find-batch.ts';
export { answerAtEnd, sendEvents } from './follow-batch.ts';
export type { ReadingOptions } from './reading-options.ts';
