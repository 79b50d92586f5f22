import {
  type ActiveCall,
  type CallState,
  chainFields,
  createdAtMs,
  type EndedCall,
  type Outcome,
} from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import { defaultRetryPolicy, redirectOf } from '@asyncfn/queue-core/settle';
import { displayUrl } from '@asyncfn/service-kit';

/**
 * A call as its caller sees it. It contains no bodies, secrets in URLs or header values (P9), except `Location` without
 * its query.
 */
export interface CallView {
  readonly callId: string;
  readonly submitter?: string;
  readonly function: string;
  readonly queue: string;
  readonly status: ActiveCall['phase'] | EndedCall['outcome']['status'];
  /** What a queued call waits for besides a worker. */
  readonly waitingFor?: 'flow' | 'rate';
  readonly attempts: number;
  readonly maxRetries: number;
  readonly createdAt: string;
  readonly notBefore?: string;
  readonly startedAt?: string;
  readonly endedAt?: string;
  readonly durationMs?: number;
  readonly functionStatus?: number;
  readonly redirectedTo?: string;
  readonly reason?: string;
  readonly replays?: number;
  readonly labels?: readonly string[];
  readonly flowKey?: string;
  readonly parentId?: string;
  readonly rootId?: string;
  readonly batchId?: string;
  /** The steps after it. */
  readonly then?: readonly string[];
  readonly next?: string;
  readonly callback?: { readonly url: string; readonly status: string; readonly attempts: number };
}

/** Maximum length of a URL from a function that is shown. */
const maxUrlLength = 2_000;

/** @param lookup the register, for the name of the function and the retry count of a waiting call */
export function toCallView(
  state: CallState,
  lookup: (name: string) => Pick<FunctionConfig, 'name' | 'retry'> | undefined,
): CallView {
  return state.kind === 'ended' ? viewOfEnded(state, lookup) : viewOfActive(state, lookup);
}

function viewOfActive(
  { phase, waitingFor, call, dueAt, held }: ActiveCall,
  lookup: Parameters<typeof toCallView>[1],
): CallView {
  const {
    id,
    submitter,
    function: name,
    queue,
    startTime,
    retry,
    generation,
    callbackUrl,
    parentId,
    batch,
    labels,
    flow,
  } = call;
  const startedAt = held?.startedAt ?? call.startedAt;
  return {
    callId: id,
    ...(submitter !== undefined && { submitter }),
    function: lookup(name)?.name ?? name,
    queue,
    status: phase,
    ...(waitingFor !== undefined && { waitingFor }),
    attempts: phase === 'running' ? (held?.retry ?? retry) + 1 : retry,
    maxRetries: held?.maxRetries ?? call.maxRetries ?? lookup(name)?.retry.attempts ?? defaultRetryPolicy.attempts,
    createdAt: toIso(createdAtMs(startTime)),
    ...(dueAt !== undefined && { notBefore: toIso(dueAt) }),
    ...(startedAt !== undefined && { startedAt: toIso(startedAt) }),
    ...(generation !== undefined && { replays: generation }),
    ...(labels !== undefined && { labels }),
    ...(flow !== undefined && { flowKey: flow.key }),
    ...(parentId !== undefined && { parentId }),
    ...(batch !== undefined && { batchId: batch.id }),
    ...viewOfChain(chainFields(call)),
    ...(callbackUrl !== undefined && { callback: { url: displayUrl(callbackUrl), status: 'pending', attempts: 0 } }),
  };
}

function viewOfEnded({ outcome, callback }: EndedCall, lookup: Parameters<typeof toCallView>[1]): CallView {
  const { callId, submitter, function: name, queue, status, attempts, maxRetries, startTime, generation } = outcome;
  const {
    startedAt,
    endedAt,
    durationMs,
    functionStatus,
    headers,
    reason,
    callbackUrl,
    parentId,
    batch,
    labels,
    flowKey,
  } = outcome;
  const redirectedTo = redirectOf(functionStatus, headers)?.location;
  const { status: callbackStatus, attempts: tries } = callback ?? { status: 'pending', attempts: 0 };
  return {
    callId,
    ...(submitter !== undefined && { submitter }),
    function: lookup(name)?.name ?? name,
    queue,
    status,
    attempts,
    maxRetries,
    createdAt: toIso(createdAtMs(startTime)),
    ...(startedAt !== undefined && { startedAt: toIso(startedAt) }),
    endedAt: toIso(endedAt),
    ...(durationMs !== undefined && { durationMs: Math.round(durationMs) }),
    ...(functionStatus !== undefined && { functionStatus }),
    ...(redirectedTo !== undefined && { redirectedTo: displayUrl(redirectedTo).slice(0, maxUrlLength) }),
    ...(reason !== undefined && { reason }),
    ...(generation > 0 && { replays: generation }),
    ...(labels !== undefined && { labels }),
    ...(flowKey !== undefined && { flowKey }),
    ...(parentId !== undefined && { parentId }),
    ...(batch !== undefined && { batchId: batch.id }),
    ...viewOfChain(outcome),
    // A cancelled call has no callback.
    ...(callbackUrl !== undefined &&
      status !== 'cancelled' && {
        callback: { url: displayUrl(callbackUrl), status: callbackStatus, attempts: tries },
      }),
  };
}

function viewOfChain({ rootId, steps, next }: Pick<Outcome, 'rootId' | 'steps' | 'next'>) {
  return {
    ...(rootId !== undefined && { rootId }),
    ...(steps !== undefined && { then: steps }),
    ...(next !== undefined && { next: next.callId }),
  };
}

/** Clamps times outside the range of dates, which a foreign record may contain. */
export function toIso(ms: number): string {
  const latest = 8.64e15;
  return new Date(Math.min(Math.max(ms, -latest), latest)).toISOString();
}
