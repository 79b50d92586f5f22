// The ledger of a function's rate: which worker may begin how many calls, and what was begun in the last period. Pure.

export {
  emptyLedger,
  fairShare,
  freeStarts,
  isExhausted,
  type Ledger,
  ledgerCodec,
  ledgerSubject,
  longestLeaseMs,
  nextFreeAt,
  nextLedger,
  othersHold,
  type StoredLedger,
  toLedger,
  type UsedStarts,
} from './ledger.ts';
