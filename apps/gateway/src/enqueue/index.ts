// Accepts calls: the handler on node:http, and the receipts of accepted calls.

export {
  type AcceptContext,
  type AcceptedCall,
  type CallDraft,
  type CallIntake,
  checkRoom,
  completeCall,
  draftCall,
  refusalIfUnavailable,
  toAnswer,
  toQueueRefusal,
} from './accept.ts';
export { CallSpans, storeCall } from './call-spans.ts';
export { enqueueRoutes } from './enqueue.ts';
export type { EnqueueOptions } from './enqueue-handler.ts';
export type {
  Group,
  GroupAnswer,
  GroupIntake,
  LargeCall,
  LargeIntake,
  LargeResult,
  PreferredResult,
  PreferredWaits,
  PreferringCall,
} from './other-answers.ts';
export { createReceipts, type Receipts } from './receipts.ts';
export { createStartTimeClock } from './start-time.ts';
export { StoringShare } from './storing-share.ts';
