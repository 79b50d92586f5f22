export type {
  AcceptedBatch,
  AcceptedCall,
  Attempt,
  BatchState,
  CallFilter,
  CallPage,
  CallState,
  CallStatus,
  CancelFilter,
  Cancelled,
  DeadLetter,
  DeadLetterDetail,
  DeadLetterFilter,
  FunctionSettings,
  GatewayInfo,
  Processes,
  paths as ApiPaths,
  QueueDetail,
  QueueState,
  RegisteredFunction,
  Replayed,
  ReplayFilter,
  Scaling,
  Schedule,
  ScheduleDetail,
  ScheduleSettings,
  TokenInfo,
} from './api/index.ts';
export type {
  BatchCall,
  Batches,
  BatchOptions,
  BatchReceipt,
  BatchResult,
  BatchResultOptions,
  BatchWaitOptions,
} from './batches/index.ts';
export {
  type CallbackHeaders,
  type IncomingCallback,
  type VerifiedCallback,
  type VerifyCallbackOptions,
  verifyCallback,
} from './callbacks/index.ts';
export {
  type CallBody,
  type CallHeaderOptions,
  type CallKeyOptions,
  type CallOptions,
  type CallReceipt,
  type CallReference,
  type CallResult,
  hasEnded,
  type JsonValue,
  type WaitOptions,
} from './calls/index.ts';
export { AsyncfnClient, type AsyncfnClientOptions } from './client.ts';
export * from './errors/index.ts';
export type { Duration, QueryValues, RequestOptions, RetryOptions, Token, TransportOptions } from './http/index.ts';
export type {
  DeadLetterReference,
  DeadLetters,
  Functions,
  PurgeOptions,
  PutOptions,
  Queues,
  RemoveOptions,
  Schedules,
} from './operators/index.ts';
export type { CallEvent, EventOptions, MissedEvents } from './streams/index.ts';
