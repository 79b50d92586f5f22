import {
  type Call,
  callbackFollowerId,
  type DurabilityShortfall,
  type ParentLife,
  type RefusalReason,
} from '@asyncfn/queue-core';
import type { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import type { FunctionConfig, FunctionNames } from '@asyncfn/queue-core/functions';
import type { AcceptResult, CallQueue } from '@asyncfn/queue-core/jetstream';
import { type Caller, coversFunction } from '@asyncfn/tokens';
import { type CallHeaders, checkCallbackUrl, notBeforeOf, sortCallHeaders } from '../call-headers/index.ts';
import { parseTarget, type Target } from '../http/index.ts';
import { brokerAway, type Refusal, refusal } from '../problem.ts';

/** What the gateway uses of a queue. */
export type CallIntake = Pick<CallQueue, 'available' | 'shortfall' | 'refusalFor' | 'accept'>;

/** What a call is made of, before its body is read. */
export interface CallRequest {
  /** The raw request target. */
  readonly url: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Address of the client's end of the connection. */
  readonly peer: string | undefined;
  readonly caller: Caller;
}

/** A call that wants only its body and its start time. */
export interface CallDraft {
  readonly kind: 'draft';
  readonly id: string;
  /** Name of the token that the call was submitted with. */
  readonly submitter: string | undefined;
  /** That token has secrets of its own for callbacks. */
  readonly ownSecret: boolean;
  /** The client chose the id: it must not be in use. */
  readonly clientChoseId: boolean;
  /** The id is that of the callback of another call: what came with it before is this call. */
  readonly derivedId: boolean;
  readonly function: FunctionConfig;
  readonly target: Target;
  readonly headers: CallHeaders;
}

export interface AcceptContext {
  readonly lookup: (name: string) => FunctionConfig | undefined;
  readonly names: Pick<FunctionNames, 'namesOf'>;
  /**
   * False until the register has been read once. Before, a function that is not known may exist, and one that is may be
   * in another queue, or have limits that are not known.
   */
  readonly knowsAll: () => boolean;
  readonly createCallId: () => string;
  /** Where results may be sent to. */
  readonly callbackPolicy: Pick<CallbackPolicy, 'objectTo'>;
  /** Unix time in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** Checks all of a request but its body and makes a call of it. */
export function draftCall(request: CallRequest, context: AcceptContext): CallDraft | Refusal {
  const { lookup, names, knowsAll, createCallId, callbackPolicy, now = Date.now } = context;
  const target = parseTarget(request.url);
  if (target.kind === 'refused') {
    return target;
  }
  if (!knowsAll()) {
    return brokerAway;
  }
  // Before the look-up: a token is told nothing of functions that are none of its business.
  if (!coversFunction(request.caller, target.name, names)) {
    return refusal('forbidden', 'The token is not for this function.');
  }
  const config = lookup(target.name);
  if (config === undefined) {
    return refusal('unknown_function', 'No function of this name is registered.');
  }
  const headers = sortCallHeaders(request.rawHeaders, request.peer, now());
  if (headers.kind === 'refused') {
    return headers;
  }
  const { callbackUrl } = headers;
  const unfit = callbackUrl === undefined ? undefined : checkCallbackUrl(callbackUrl, callbackPolicy);
  if (unfit !== undefined) {
    return unfit;
  }
  const submitter = request.caller.name;
  const { callId, origin } = headers;
  const derived = origin.callbackOf && followerId(origin.callbackOf, config, target, submitter);
  return {
    kind: 'draft',
    id: derived ?? callId ?? createCallId(),
    submitter,
    ownSecret: request.caller.callbackSecretFile !== undefined,
    clientChoseId: callId !== undefined,
    derivedId: derived !== undefined,
    function: config,
    target,
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

/** A draft with what was missing. */
export function completeCall(draft: CallDraft, startTime: string, body: Uint8Array): Call {
  const { callbackUrl, maxRetries, timeoutMs, times, origin } = draft.headers;
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
  const acceptedAt = toMs(startTime);
  const notBefore = notBeforeOf(times, acceptedAt);
  if (notBefore !== undefined) {
    call.notBefore = notBefore;
  }
  if (times.expiresInMs !== undefined) {
    call.expiresAt = acceptedAt + times.expiresInMs;
  }
  return call;
}

/** A start time, which is in nanoseconds, in milliseconds. */
function toMs(startTime: string): number {
  return Number(startTime.slice(0, -6));
}

/** What the client is told of a call that the queue has taken, now or before. */
export interface AcceptedCall {
  readonly kind: 'accepted';
  readonly callId: string;
  readonly startTime: string;
  readonly status: 'queued' | 'scheduled';
  /** It was accepted before, with the same `Idempotency-Key`. */
  readonly replayed: boolean;
}

/**
 * What the client of `call` is told: of the call itself, or of the earlier one in whose place it came.
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

/** What the client is told where a 202 would promise less than the operator wants it to. */
export function toDurabilityRefusal({ required, found }: DurabilityShortfall): Refusal {
  const there = found === undefined ? 'how durable it would be is not known' : `it would be ${found}`;
  const detail = `Nothing was stored: ${there}, and REQUIRE_DURABILITY asks for ${required}. Send it again later.`;
  return refusal('broker_unavailable', detail, retryAfter(2));
}

/** What the client is told when the queue did not take its call. Temporary troubles say when to come back. */
export function toQueueRefusal(reason: RefusalReason): Refusal {
  switch (reason) {
    case 'unavailable':
    case 'undecided':
      return refusal(
        'broker_unavailable',
        'Nothing confirms that the call was stored. Send it again later.',
        retryAfter(2),
      );
    case 'timeout':
      return refusal(
        'broker_timeout',
        'It is not known whether the call was stored. Send it again later.',
        retryAfter(5),
      );
    case 'overloaded':
      return refusal('overloaded', 'The call was not accepted. Send it again later.', retryAfter(1));
    case 'queue_full':
      return refusal('queue_full', 'The call was not accepted. Send it again when there is room.', retryAfter(10));
    case 'too_many_pending':
      return refusal('too_many_pending', 'The call was not accepted. Send it again when fewer wait.', retryAfter(5));
    case 'too_many_names':
      return refusal('too_many_names', tooManyNames, retryAfter(60));
    case 'too_many_functions':
      return refusal('too_many_functions', tooManyFunctions, retryAfter(60));
    case 'too_large':
      return refusal('body_too_large', 'Body and headers together are larger than the queue takes.');
    case 'conflict':
      return refusal('call_id_conflict', conflictDetail);
  }
}

const conflictDetail =
  'A call with this X-Call-Id is known already. A function that makes a call sends no X-Call-Id, or passes on the ' +
  'X-Start-Time and X-Retry that it got with it.';

const tooManyNames =
  'Calls with this token use as many names of functions that are not registered as they may. A name is free again after ' +
  'ten minutes without a call.';

const tooManyFunctions =
  'The call would be the first of a further function in its queue, and the queue has as many as it can have. Functions that ' +
  'are registered have places of their own; an operator finds in docs/functions.md how many.';

function retryAfter(seconds: number): Readonly<Record<string, string>> {
  return { 'Retry-After': String(seconds) };
}
