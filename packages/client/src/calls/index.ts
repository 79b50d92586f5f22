// Calls: making them, following them, their results, cancelling them.

export { toBatchItem } from './batch-item.ts';
export type { CallBody, JsonValue } from './call-body.ts';
export { type CallHeaderOptions, toCallHeaders } from './call-headers.ts';
export type { CallResult } from './call-result.ts';
export { cancelCall } from './cancel-call.ts';
export type { FlowControl } from './flow-control.ts';
export {
  type CallKeyOptions,
  type CallOptions,
  type CallReceipt,
  makeCall,
  postCall,
  setIdempotencyKey,
} from './make-call.ts';
export { type CallReference, checkReference, getAttempts, getCall, getResult, referenceOptions } from './read-call.ts';
export { hasEnded, longPoll, type WaitOptions, waitForCall } from './wait-for-call.ts';
export type { Waiting } from './waiting.ts';
