import {
  type Call,
  callbackUrlOf,
  chainFields,
  decided,
  endToEndHeaders,
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
export function toOutcome(call: Call, end: End, next: NextCall | undefined, now: number): Outcome {
  const { status, reason, maxRetries, result } = end;
  // Written out, because spreading costs several microseconds a call.
  const outcome: Outcome = {
    v: 1,
    callId: call.id,
    startTime: call.startTime,
    generation: call.generation ?? 0,
    function: call.function,
    queue: call.queue,
    status,
    attempts: result === undefined ? call.retry : call.retry + 1,
    maxRetries,
    endedAt: now,
    headers: endToEndHeaders(result?.headers ?? [], notKept) as Outcome['headers'],
  };
  if (reason !== undefined) {
    outcome.reason = reason;
  }
  if (result !== undefined) {
    outcome.functionStatus = result.status;
    outcome.durationMs = result.durationMs;
  }
  if (result?.object !== undefined) {
    outcome.bodyObject = result.object;
    outcome.bodyOmitted = 'stored_apart';
  }
  const history = historyOf(call, end);
  if (history !== undefined) {
    outcome.history = history;
  }
  addFieldsOfCall(outcome, call);
  if (next !== undefined) {
    outcome.next = next;
  }
  return outcome;
}

/** The attempts, the last of which has ended the call. */
function historyOf({ history }: Call, { status, result }: End): Outcome['history'] {
  const isByAttempt = result !== undefined && status !== 'expired';
  return history !== undefined && isByAttempt ? decided(history, status) : history;
}

/** What most calls have none of. */
function addFieldsOfCall(outcome: Outcome, call: Call): void {
  const callbackUrl = callbackUrlOf(call, outcome.status);
  const { submitter, startedAt, labels, flow, parentId, batch } = call;
  if (submitter !== undefined) {
    outcome.submitter = submitter;
  }
  if (startedAt !== undefined) {
    outcome.startedAt = startedAt;
  }
  if (callbackUrl !== undefined) {
    outcome.callbackUrl = callbackUrl;
  }
  if (labels !== undefined) {
    outcome.labels = labels;
  }
  if (flow !== undefined) {
    outcome.flowKey = flow.key;
  }
  if (parentId !== undefined) {
    outcome.parentId = parentId;
  }
  if (batch !== undefined) {
    outcome.batch = batch;
  }
  if (call.rootId !== undefined || call.steps !== undefined) {
    Object.assign(outcome, chainFields(call));
  }
}
