import { type Static, Type } from 'typebox';
import { isCallId } from './call.ts';
import { createRecordCodec } from './record-codec.ts';

const Headers = Type.Array(Type.Tuple([Type.String(), Type.String()]));

/** How a call has ended, once and for all (P2). The result's body travels raw beside it. */
export const Outcome = Type.Object({
  v: Type.Literal(1),
  callId: Type.String(),
  /** Replays made: each is a life of its own, with an end of its own. */
  generation: Type.Integer({ minimum: 0 }),
  function: Type.String(),
  queue: Type.String(),
  status: Type.Union([
    Type.Literal('succeeded'),
    Type.Literal('failed'),
    Type.Literal('cancelled'),
    Type.Literal('expired'),
  ]),
  /** Why, unless it succeeded. */
  reason: Type.Optional(Type.String()),
  /** The function's last status; 503 where it could not be reached, 504 at its deadline. */
  functionStatus: Type.Optional(Type.Integer()),
  attempts: Type.Integer({ minimum: 0 }),
  maxRetries: Type.Integer({ minimum: 0 }),
  /** When the call was accepted: Unix time in nanoseconds, decimal. */
  startTime: Type.String(),
  /** Start of the first attempt: Unix time in milliseconds. */
  startedAt: Type.Optional(Type.Number()),
  endedAt: Type.Number(),
  /** Of the last attempt. */
  durationMs: Type.Optional(Type.Number()),
  /** End-to-end headers of the function's response. */
  headers: Headers,
  /** Set where the body of the response is not kept: why. */
  bodyOmitted: Type.Optional(Type.String()),
  callbackUrl: Type.Optional(Type.String()),
  /** Of the call. */
  submitter: Type.Optional(Type.String()),
  /** Of the call. */
  parentId: Type.Optional(Type.String()),
});

export type Outcome = Static<typeof Outcome>;

export const outcomeCodec = createRecordCodec('Asyncfn-Outcome', Outcome);

/** How far the callback of a call has come, once it has ended. */
export const CallbackState = Type.Object({
  v: Type.Literal(1),
  status: Type.Union([Type.Literal('pending'), Type.Literal('delivered'), Type.Literal('failed')]),
  attempts: Type.Integer({ minimum: 0 }),
});

export type CallbackState = Static<typeof CallbackState>;

export const callbackStateCodec = createRecordCodec('Asyncfn-Callback-State', CallbackState);

/** `outcomes.<callId>.<generation>`: at most one message each, so that a call ends exactly once. */
export function outcomeSubject(callId: string, generation: number): string {
  return `outcomes.${lifeTokens(callId, generation)}`;
}

/** The outcomes of all lives of a call. Throws for a call id that could break out of its token (P7). */
export function anyOutcomeSubject(callId: string): string {
  return `outcomes.${lifeTokens(callId, '*')}`;
}

/** `outcomes.<callId>.<generation>.callback`: the newest state of the callback. */
export function callbackStateSubject(callId: string, generation: number): string {
  return `${outcomeSubject(callId, generation)}.callback`;
}

/** `cancels.<callId>.<generation>`: that the call is being cancelled. */
export function cancelIntentSubject(callId: string, generation: number): string {
  return `cancels.${lifeTokens(callId, generation)}`;
}

/** Those of all lives of a call. */
export function anyCancelIntentSubject(callId: string): string {
  return `cancels.${lifeTokens(callId, '*')}`;
}

/** One life of a call, or with `*` each of them. Throws for a call id that could break out of its token (P7). */
function lifeTokens(callId: string, generation: number | '*'): string {
  if (!isCallId(callId) || !(generation === '*' || Number.isSafeInteger(generation))) {
    throw new TypeError('a call id must match [A-Za-z0-9_-]{1,128}, a generation is a whole number');
  }
  return `${callId}.${generation}`;
}
