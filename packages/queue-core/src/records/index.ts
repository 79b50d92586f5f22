// What is stored about calls beside the calls themselves, each record with its codec.

export type { AliveCall, CallStanding, EndedCall } from './call-standing.ts';
export { CallbackTask, callbackSubject, callbackTaskCodec } from './callback-task.ts';
export { type Claim, claimCodec, claimSubjects, idClaimSubject, keyClaimSubject } from './claim.ts';
export {
  DeadLetter,
  type DeadLetterReason,
  deadLetterCodec,
  deadLetterFilter,
  deadLetterReasons,
  deadLetterSubject,
} from './dead-letter.ts';
export { type ExpiryDecision, ExpiryWord, expiryClaimCodec, expirySubject, expiryWordCodec } from './expiry.ts';
export { anyWordSubject, type CallWord, HeldReport, heldReportCodec, wordCall, wordSubject } from './held-call.ts';
export {
  fingerprintOf,
  hashDerivedId,
  hashKey,
  isIdempotencyKey,
  KeyRecord,
  keyRecordCodec,
  toKeyRecord,
} from './idempotency-key.ts';
export {
  anyCancelIntentSubject,
  anyOutcomeSubject,
  CallbackState,
  callbackStateCodec,
  callbackStateSubject,
  cancelIntentSubject,
  Outcome,
  outcomeCodec,
  outcomeSubject,
} from './outcome.ts';
export {
  missingReceiptCodec,
  missingReceiptFilter,
  missingReceiptSubject,
  type Receipt,
  type ReceiptBatch,
  receiptBatchCodec,
} from './receipt.ts';
