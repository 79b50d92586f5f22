// Batches: their records, the subjects of these at the broker, and what callers see. Pure.

export {
  BatchCounts,
  BatchEnd,
  BatchItem,
  BatchState,
  batchEndCodec,
  batchKeyCodec,
  batchStateCodec,
  decodeItems,
  encodeItems,
  endedOf,
  hashBatchKey,
  itemsOfPart,
} from './batch-records.ts';
export {
  anyBatchStateSubject,
  type BatchKey,
  batchEndSubject,
  batchItemsSubject,
  batchKeySubject,
  batchMarksFilters,
  batchStateSubject,
  batchStatesFilter,
  type EndStatus,
  endStatuses,
  intentsFilter,
  isMarkSubject,
  markSubject,
  marksFilter,
  parseBatchSubject,
  parseKeyOwner,
  queuedFilter,
} from './batch-subjects.ts';
export { type BatchView, batchUrlOf, toBatchView } from './batch-view.ts';
