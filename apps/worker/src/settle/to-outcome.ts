import {
  type Call,
  callbackUrlOf,
  chainFields,
  decided,
  endToEndHeaders,
  keyOf,
  type NextCall,
  type Outcome,
} from '@asyncfn/queue-core';
import type { End } from './delivered-call.ts';

/** A function's cookies are meant for its client, which is the worker. */
const notKept: ReadonlySet<string> = new Set(['set-cookie', 'set-cookie2']);

/**
 * The record of an end.
 * @param next the call that follows in its chain
 * @param now Unix time in milliseconds
 */
export function toOutcome(
  call: Call,
  { status, reason, maxRetries, result }: End,
  next: NextCall | undefined,
  now: number,
): Outcome {
  const callbackUrl = callbackUrlOf(call, status);
  const { history: attempts } = call;
  const isByAttempt = result !== undefined && status !== 'expired';
  const history = attempts !== undefined && isByAttempt ? decided(attempts, status) : attempts;
  return {
    v: 1,
    ...keyOf(call),
    function: call.function,
    queue: call.queue,
    status,
    ...(reason !== undefined && { reason }),
    ...(result !== undefined && { functionStatus: result.status, durationMs: result.durationMs }),
    attempts: result === undefined ? call.retry : call.retry + 1,
    maxRetries,
    ...(history !== undefined && { history }),
    ...(call.startedAt !== undefined && { startedAt: call.startedAt }),
    endedAt: now,
    headers: endToEndHeaders(result?.headers ?? [], notKept) as Outcome['headers'],
    ...(callbackUrl !== undefined && { callbackUrl }),
    ...(call.labels !== undefined && { labels: call.labels }),
    ...(call.parentId !== undefined && { parentId: call.parentId }),
    ...(call.batch !== undefined && { batch: call.batch }),
    ...chainFields(call),
    ...(next !== undefined && { next }),
  };
}
