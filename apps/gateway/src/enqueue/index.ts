// Accepts calls: the handler on node:http, and the receipts of accepted calls.

export {
  type AcceptContext,
  type CallDraft,
  type CallIntake,
  completeCall,
  draftCall,
  refusalIfUnavailable,
  toQueueRefusal,
} from './accept.ts';
export { CallSpans } from './call-spans.ts';
export { enqueueRoutes } from './enqueue.ts';
export type { EnqueueOptions } from './enqueue-handler.ts';
export type { Group, GroupAnswer, GroupIntake } from './group-intake.ts';
export { createReceipts, type Receipts } from './receipts.ts';
export { createStartTimeClock } from './start-time.ts';
