export type { AcceptedCall, Attempt, CallState, CallStatus, paths as ApiPaths } from './api/index.ts';
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
export {
  AsyncfnError,
  CallbackError,
  type CallbackErrorCode,
  OptionError,
  ProblemError,
  type ProblemFields,
  UnexpectedAnswerError,
  UnreachableError,
  type UnreachableErrorCode,
} from './errors/index.ts';
export type { Duration, QueryValues, RequestOptions, RetryOptions, Token, TransportOptions } from './http/index.ts';
