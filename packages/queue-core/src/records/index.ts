// What is stored about calls besides the calls themselves, each record with its codec.

export { type BegunDelivery, begunDeliveryCodec } from './begun-delivery.ts';
export type { ActiveCall, CallState, EndedCall } from './call-state.ts';
export { anyCallbackSubject, type CallbackTask, callbackSubject, callbackTaskCodec } from './callback-task.ts';
export { type Claim, claimCodec, claimSubjects, idClaimSubject, keyClaimSubject } from './claim.ts';
export {
  DeadLetter,
  type DeadLetterReason,
  deadLetterCodec,
  deadLetterFilter,
  deadLetterReasons,
  deadLetterSubject,
} from './dead-letter.ts';
export { type ExpiryDecision, ExpiryTimer, expiryClaimCodec, expirySubject, expiryTimerCodec } from './expiry.ts';
export {
  endFingerprint,
  fingerprintOf,
  hashDerivedId,
  hashKey,
  isIdempotencyKey,
  KeyRecord,
  keyRecordCodec,
  startFingerprint,
  toKeyRecord,
} from './idempotency-key.ts';
export {
  anyCancelIntentSubject,
  anyOutcomeSubject,
  bodyGone,
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
export { createRecordCodec, type RecordCodec } from './record-codec.ts';
export {
  anySignalSubject,
  type CallSignal,
  RunningReport,
  runningReportCodec,
  signalCall,
  signalSubject,
} from './running-call.ts';
