import { type Static, Type } from 'typebox';
import { AttemptRecord } from '../attempts/index.ts';
import {
  addressTokens,
  BatchPlace,
  BodyObject,
  type CallAddress,
  CallFlow,
  callIdPattern,
  type GenerationKey,
  generationTokens,
  identityFields,
  Labels,
} from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

const Headers = Type.Array(Type.Tuple([Type.String(), Type.String()]));

/** How a call has ended, once and for all (P2). The result's body travels raw beside it. */
export const Outcome = Type.Object({
  v: Type.Literal(1),
  ...identityFields,
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
  /** The function's last status; 503 if it could not be reached, 504 at its deadline. */
  functionStatus: Type.Optional(Type.Integer()),
  attempts: Type.Integer({ minimum: 0 }),
  maxRetries: Type.Integer({ minimum: 0 }),
  /** The attempts, oldest first. Absent for none, and in the records of earlier versions. */
  history: Type.Optional(Type.Array(AttemptRecord)),
  /** Start of the first attempt: Unix time in milliseconds. */
  startedAt: Type.Optional(Type.Number()),
  endedAt: Type.Number(),
  /** Of the last attempt. */
  durationMs: Type.Optional(Type.Number()),
  /** End-to-end headers of the function's response. */
  headers: Headers,
  /** The content of the record is erased. What is left says that the call has ended; callers do not see it. */
  erased: Type.Optional(Type.Literal(true)),
  /** Why the body of the response is not beside the record, if it is not. */
  bodyOmitted: Type.Optional(Type.String()),
  /**
   * The body, if it is stored apart. `bodyOmitted` is `stored_apart` then: a reader that does not know this field must not take
   * the body for empty.
   */
  bodyObject: Type.Optional(BodyObject),
  callbackUrl: Type.Optional(Type.String()),
  /** Of the call. */
  labels: Type.Optional(Labels),
  /** Of the call. That of a cancelled one says whose turn has to be ended; other outcomes of earlier versions have none. */
  flowKey: Type.Optional(CallFlow.properties.key),
  parentId: Type.Optional(Type.String()),
  rootId: Type.Optional(Type.String()),
  batch: Type.Optional(BatchPlace),
  /** The steps that are left after it. */
  steps: Type.Optional(Type.Array(Type.String())),
  /** The call that follows in its chain: it is stored, or about to be. Only a success has one. */
  next: Type.Optional(
    Type.Object({
      callId: Type.String({ pattern: callIdPattern.source }),
      function: Type.String(),
      queue: Type.String(),
    }),
  ),
});

export type Outcome = Static<typeof Outcome>;

/** Why the body of the response is not kept; undefined if it is, wherever. */
export function bodyGone({ bodyOmitted, bodyObject }: Pick<Outcome, 'bodyOmitted' | 'bodyObject'>): string | undefined {
  return bodyObject === undefined ? bodyOmitted : undefined;
}

export const outcomeCodec = createRecordCodec('Asyncfn-Outcome', Outcome);

/** How far the callback of a call has come, once it has ended. */
export const CallbackState = Type.Object({
  v: Type.Literal(1),
  status: Type.Union([Type.Literal('pending'), Type.Literal('delivered'), Type.Literal('failed')]),
  attempts: Type.Integer({ minimum: 0 }),
});

export type CallbackState = Static<typeof CallbackState>;

export const callbackStateCodec = createRecordCodec('Asyncfn-Callback-State', CallbackState);

/**
 * `outcomes.<callId>.<submitter>.<startTime>.<generation>`: at most one message each, so that a call ends exactly once.
 */
export function outcomeSubject(key: GenerationKey): string {
  return `outcomes.${generationTokens(key)}`;
}

/** The outcomes of all generations of the calls of an address. */
export function anyOutcomeSubject(address: CallAddress): string {
  return `outcomes.${addressTokens(address)}.*`;
}

/** `outcomes.<callId>.<submitter>.<startTime>.<generation>.callback`: the newest state of the callback. */
export function callbackStateSubject(key: GenerationKey): string {
  return `${outcomeSubject(key)}.callback`;
}

/** `cancels.<callId>.<submitter>.<startTime>.<generation>`: that the call is being cancelled. */
export function cancelIntentSubject(key: GenerationKey): string {
  return `cancels.${generationTokens(key)}`;
}

/** Those of all generations of the calls of an address. */
export function anyCancelIntentSubject(address: CallAddress): string {
  return `cancels.${addressTokens(address)}.*`;
}
