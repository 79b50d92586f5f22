// Calls: making them, following them, their results, cancelling them.

export type { CallBody, JsonValue } from './call-body.ts';
export type { CallHeaderOptions } from './call-headers.ts';
export { CallResult } from './call-result.ts';
export { cancelCall } from './cancel-call.ts';
export {
  type CallKeyOptions,
  type CallOptions,
  type CallReceipt,
  makeCall,
} from './make-call.ts';
export { type CallReference, getAttempts, getCall, getResult } from './read-call.ts';
export { hasEnded, type WaitOptions, waitForCall } from './wait-for-call.ts';
