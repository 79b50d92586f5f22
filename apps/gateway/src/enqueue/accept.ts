import {
  type Call,
  type ChainStep,
  callbackFollowerId,
  type DurabilityShortfall,
  type ParentLife,
  type RefusalReason,
} from '@asyncfn/queue-core';
import type { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import type { FunctionConfig, FunctionNames } from '@asyncfn/queue-core/functions';
import type { AcceptResult, CallQueue } from '@asyncfn/queue-core/jetstream';
import { type Caller, coversFunction } from '@asyncfn/tokens';
import {
  type CallHeaders,
  type CallTimes,
  checkCallbackUrls,
  notBeforeOf,
  sortCallHeaders,
} from '../call-headers/index.ts';
import { admitSteps } from '../chain/index.ts';
import { parseTarget, type Target } from '../http/index.ts';
import { brokerAway, type Refusal, refusal } from '../problem.ts';

/** The part of a queue that the gateway uses. */
export type CallIntake = Pick<CallQueue, 'available' | 'shortfall' | 'refusalFor' | 'accept'>;

/** A request for a call, before its body is read. */
export interface CallRequest {
  /** The raw request target. */
  readonly url: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Address of the client's end of the connection. */
  readonly peer: string | undefined;
  readonly caller: Caller;
}

/** A call without its body and its start time. */
export interface CallDraft {
  readonly kind: 'draft';
  readonly id: string;
  /** Name of the token that the call was submitted with. */
  readonly submitter: string | undefined;
  /** The token has its own secrets for callbacks. */
  readonly ownSecret: boolean;
  /** The client chose the id: it must not be in use. */
  readonly clientChoseId: boolean;
  /** The id is derived from another call's callback: an earlier request with this id made the same call. */
  readonly derivedId: boolean;
  readonly function: FunctionConfig;
  readonly target: Target;
  /** The steps that follow when the call succeeds. */
  readonly steps: readonly ChainStep[];
  readonly headers: CallHeaders;
}

export interface AcceptContext {
  readonly lookup: (name: string) => FunctionConfig | undefined;
  readonly names: Pick<FunctionNames, 'namesOf'>;
  /**
   * False until the register has been read once. Before that, an unknown function may exist, and a known one may have
   * another queue or limits.
   */
  readonly knowsAll: () => boolean;
  readonly createCallId: () => string;
  /** Decides where results may be sent. */
  readonly callbackPolicy: Pick<CallbackPolicy, 'objectTo'>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** Checks everything of a request except its body, and drafts a call. */
export function draftCall(request: CallRequest, context: AcceptContext): CallDraft | Refusal {
  const { lookup, names, knowsAll, createCallId, callbackPolicy, now } = context;
  const target = parseTarget(request.url);
  if (target.kind === 'refused') {
    return target;
  }
  if (!knowsAll()) {
    return brokerAway;
  }
  // Before the look-up, so that a token cannot find out which other functions exist.
  if (!coversFunction(request.caller, target.name, names)) {
    return refusal('forbidden', 'The token does not allow this function.');
  }
  const config = lookup(target.name);
  if (config === undefined) {
    return refusal('unknown_function', 'No function of this name is registered.');
  }
  const headers = sortCallHeaders(request.rawHeaders, request.peer, now());
  if (headers.kind === 'refused') {
    return headers;
  }
  const unfit = checkCallbackUrls(headers, callbackPolicy);
  if (unfit !== undefined) {
    return unfit;
  }
  const { caller } = request;
  const submitter = caller.name;
  const { callId, origin } = headers;
  const chain = admitSteps(headers.thens, config, { caller, chainDepth: origin.chainDepth, lookup, names });
  if (chain.kind === 'refused') {
    return chain;
  }
  const derived = origin.callbackOf && followerId(origin.callbackOf, config, target, submitter);
  return {
    kind: 'draft',
    id: derived ?? callId ?? createCallId(),
    submitter,
    ownSecret: caller.callbackSecretFile !== undefined,
    clientChoseId: callId !== undefined,
    derivedId: derived !== undefined,
    function: config,
    target,
    steps: chain.steps,
    headers,
  };
}

function followerId(
  parent: ParentLife,
  config: FunctionConfig,
  { path, query }: Target,
  submitter: string | undefined,
) {
  return callbackFollowerId(parent, { function: config.name, path, query, submitter });
}

/** Completes a draft with body and start time. */
export function completeCall(draft: CallDraft, startTime: string, body: Uint8Array): Call {
  const { callbackHeaders, labels, maxRetries, timeoutMs, times, origin, flow } = draft.headers;
  const callbackUrl = draft.headers.callbackUrl ?? draft.function.callbackUrl;
  const failureCallbackUrl = draft.headers.failureCallbackUrl ?? draft.function.failureCallbackUrl;
  // Written out, because spreading costs several microseconds a call.
  const call: { -readonly [Field in keyof Call]: Call[Field] } = {
    id: draft.id,
    function: draft.function.name,
    queue: draft.function.queue,
    path: draft.target.path,
    query: draft.target.query,
    headers: draft.headers.travelling,
    startTime,
    retry: 0,
    body,
  };
  if (draft.submitter !== undefined) {
    call.submitter = draft.submitter;
  }
  if (draft.ownSecret) {
    call.ownSecret = true;
  }
  if (callbackUrl !== undefined) {
    call.callbackUrl = callbackUrl;
  }
  if (failureCallbackUrl !== undefined) {
    call.failureCallbackUrl = failureCallbackUrl;
  }
  if (callbackHeaders.length > 0) {
    call.callbackHeaders = callbackHeaders;
  }
  if (labels.length > 0) {
    call.labels = [...labels];
  }
  if (flow !== undefined) {
    call.flow = flow;
  }
  if (draft.steps.length > 0) {
    call.steps = [...draft.steps];
  }
  if (origin.parentId !== undefined) {
    call.parentId = origin.parentId;
  }
  if (origin.chainDepth > 0) {
    call.chainDepth = origin.chainDepth;
  }
  if (maxRetries !== undefined) {
    call.maxRetries = maxRetries;
  }
  if (timeoutMs !== undefined) {
    call.timeoutMs = timeoutMs;
  }
  setTimes(call, times, toMs(startTime));
  return call;
}

function setTimes(call: { -readonly [Field in keyof Call]: Call[Field] }, times: CallTimes, acceptedAt: number): void {
  const notBefore = notBeforeOf(times, acceptedAt);
  if (notBefore !== undefined) {
    call.notBefore = notBefore;
  }
  if (times.expiresInMs !== undefined) {
    call.expiresAt = acceptedAt + times.expiresInMs;
  }
}

/** Converts a start time from nanoseconds to milliseconds. */
function toMs(startTime: string): number {
  return Number(startTime.slice(0, -6));
}

/** The answer for a call that the queue has stored, by this request or an earlier one. */
export interface AcceptedCall {
  readonly kind: 'accepted';
  readonly callId: string;
  readonly startTime: string;
  readonly status: 'queued' | 'scheduled';
  /** An earlier request with the same `Idempotency-Key` was accepted. */
  readonly replayed: boolean;
}

/**
 * The answer to the client of `call`: about the call itself, or about the earlier one that it repeats.
 * @param now Unix time in milliseconds
 */
export function toAnswer(call: Call, result: AcceptResult, now: number): AcceptedCall | Refusal {
  switch (result.kind) {
    case 'stored':
      return accepted(call.id, call.startTime, call.notBefore !== undefined, false);
    case 'replayed': {
      const { callId, startTime, notBefore = 0 } = result.earlier;
      return accepted(callId, startTime, notBefore > now, true);
    }
    case 'key_reused':
      return refusal('idempotency_key_reused', 'The earlier call had another sub-path, query or body.');
    case 'refused':
      return { ...toQueueRefusal(result.reason), reason: result.detail };
  }
}

function accepted(callId: string, startTime: string, waits: boolean, replayed: boolean): AcceptedCall {
  return { kind: 'accepted', callId, startTime, status: waits ? 'scheduled' : 'queued', replayed };
}

/** The refusal while nothing can be accepted; undefined otherwise. */
export function refusalIfUnavailable({
  available,
  shortfall,
}: Pick<CallIntake, 'available' | 'shortfall'>): Refusal | undefined {
  if (available) {
    return undefined;
  }
  return shortfall === undefined ? toQueueRefusal('unavailable') : toDurabilityRefusal(shortfall);
}

/** The refusal of every call of a function, whatever its body; undefined if there is room. */
export function checkRoom(queue: CallIntake, target: FunctionConfig): Refusal | undefined {
  const unavailable = refusalIfUnavailable(queue);
  if (unavailable !== undefined) {
    return unavailable;
  }
  const refusal = queue.refusalFor(target);
  return refusal === undefined ? undefined : toQueueRefusal(refusal);
}

/** The refusal if a 202 would be less durable than the operator requires. */
function toDurabilityRefusal({ required, found }: DurabilityShortfall): Refusal {
  const there =
    found === undefined ? 'the durability of the call is not known' : `the durability of the call would be ${found}`;
  const detail = `Nothing was stored: ${there}, and REQUIRE_DURABILITY requires ${required}. Send the call again later.`;
  return refusal('broker_unavailable', detail, retryAfter(2));
}

/** The refusal if the queue did not store the call. Temporary ones have `Retry-After`. */
export function toQueueRefusal(reason: RefusalReason): Refusal {
  switch (reason) {
    case 'unavailable':
    case 'undecided':
      return refusal('broker_unavailable', 'The call may not have been stored. Send it again later.', retryAfter(2));
    case 'timeout':
      return refusal(
        'broker_timeout',
        'The queue did not confirm the call in time, so it may or may not be stored. Send it again later.',
        retryAfter(5),
      );
    case 'overloaded':
      return refusal('overloaded', 'The call was not accepted. Send it again later.', retryAfter(1));
    case 'queue_full':
      return refusal(
        'queue_full',
        'The call was not accepted because the queue is full. Send it again later.',
        retryAfter(10),
      );
    case 'too_many_pending':
      return refusal(
        'too_many_pending',
        'The call was not accepted because too many calls of the function are waiting. Send it again later.',
        retryAfter(5),
      );
    case 'too_many_names':
      return refusal('too_many_names', tooManyNames, retryAfter(60));
    case 'too_many_functions':
      return refusal('too_many_functions', tooManyFunctions, retryAfter(60));
    case 'too_large':
      return refusal('body_too_large', 'Body and headers together are too large for the queue.');
    case 'conflict':
      return refusal('call_id_conflict', conflictDetail);
  }
}

const conflictDetail =
  'A call with this X-Call-Id is already known. A function that makes a call must send no X-Call-Id, or also pass on the ' +
  'X-Start-Time and X-Retry that it received.';

const tooManyNames =
  'Calls with this token already use the maximum number of unregistered function names. A name is free again after ten ' +
  'minutes without a call.';

const tooManyFunctions =
  'The call is the first of a function in its queue, and the queue has no room for another function. Registered ' +
  'functions have a limit of their own; operators find the limits in docs/functions.md.';

function retryAfter(seconds: number): Readonly<Record<string, string>> {
  return { 'Retry-After': String(seconds) };
}
