// Which calls a search is about, and an index of calls in memory that is sorted by when they were accepted. Pure.

export {
  type CallFilter,
  type CallStatus,
  callStatuses,
  createdAtMs,
  factsOfCall,
  factsOfOutcome,
  isInFilter,
  isLargeStatus,
  isNameInFilter,
  statusBits,
  toStatusNumber,
} from './call-filter.ts';
export { CallIndex, type IndexEntry, type IndexName, type IndexProbe } from './call-index.ts';
export { type CallKey, compareKeys, keyOfCall, marksOf } from './call-key.ts';
export type { ChunkEntry } from './index-chunk.ts';
