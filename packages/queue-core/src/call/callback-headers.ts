import { hopByHopHeaders } from './end-to-end-headers.ts';

/** Headers that a callback has from us, lower case: neither a function nor a caller may set them. */
export const ownCallbackHeaders: ReadonlySet<string> = new Set([
  'content-length',
  'expect',
  'host',
  'traceparent',
  'tracestate',
  'user-agent',
  'webhook-id',
  'webhook-signature',
  'webhook-timestamp',
  'x-batch-id',
  'x-call-id',
  'x-callback-signature',
  'x-chain-depth',
  'x-duration-seconds',
  'x-function-name',
  'x-function-status',
  'x-parent-call-id',
  'x-replays',
  'x-retry',
  'x-retry-max',
  'x-root-call-id',
  'x-start-time',
]);

/** Whether a caller may send this header (lower case) to the receivers of callbacks. */
export function isForwardable(lower: string): boolean {
  return !ownCallbackHeaders.has(lower) && !hopByHopHeaders.has(lower) && !lower.startsWith('content-');
}
