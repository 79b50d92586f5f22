import type { IncomingMessage } from 'node:http';
import type { Caller } from '@asyncfn/tokens';
import { type CallHeaders, sortCallHeaders } from '../call-headers/index.ts';
import { type Refusal, refusal } from '../problem.ts';

/** Who sends a batch, and what the headers of the request say. */
export interface BatchSender {
  readonly kind: 'sender';
  readonly raw: IncomingMessage;
  readonly caller: Caller;
  /** Of these headers, a batch uses its key, its callback, and its origin. */
  readonly headers: CallHeaders;
}

const noCallId = refusal(
  'invalid_call_id',
  'The request makes several calls, so it must not have X-Call-Id. An item of a batch may have one among its headers.',
);

/** @param now Unix time in milliseconds */
export function readSender(raw: IncomingMessage, caller: Caller, now: number): BatchSender | Refusal {
  const headers = sortCallHeaders(raw.rawHeaders, raw.socket.remoteAddress, now);
  if (headers.kind === 'refused') {
    return headers;
  }
  return headers.callId === undefined ? { kind: 'sender', raw, caller, headers } : noCallId;
}

/**
 * Identifies the same batch if the request comes again. A callback that is delivered twice makes one batch.
 * @param group the group whose batches the key tells apart; undefined for `/async-batch`
 */
export function keyOf({ headers: { idempotencyKey, origin } }: BatchSender, group: string | undefined) {
  const { callbackOf } = origin;
  const key =
    callbackOf === undefined
      ? idempotencyKey
      : `callback ${callbackOf.callId} ${callbackOf.startTime} ${callbackOf.generation}`;
  // No key and no name has a space in it.
  return key === undefined || group === undefined ? key : `${group} ${key}`;
}

/** Headers of the request that its items share, unless they have their own. */
const shared: ReadonlySet<string> = new Set(['host', 'traceparent', 'tracestate']);

/** Names and values in turn. */
export function sharedHeadersOf({ raw: { rawHeaders }, headers: { origin } }: BatchSender): string[] {
  const common = rawHeaders.filter((_, at) => shared.has((rawHeaders[at - (at % 2)] ?? '').toLowerCase()));
  return origin.chainDepth > 0 ? [...common, 'X-Chain-Depth', String(origin.chainDepth)] : common;
}
