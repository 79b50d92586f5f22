import { type Static, Type } from 'typebox';
import {
  addressTokens,
  type CallAddress,
  callIdPattern,
  functionNamePattern,
  type GenerationKey,
  generationTokens,
  identityFields,
  Labels,
  namePartPattern,
} from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** The result of a call on its way to its receiver. The body travels raw beside it. */
export const CallbackTask = Type.Object({
  v: Type.Literal(1),
  ...identityFields,
  generation: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  function: Type.String({ pattern: functionNamePattern }),
  queue: Type.String({ pattern: namePartPattern }),
  url: Type.String(),
  /** `X-Function-Status` */
  functionStatus: Type.Integer(),
  /** Duration of the last attempt at the function. */
  durationMs: Type.Number(),
  /** Retries of the function. */
  retry: Type.Integer({ minimum: 0 }),
  maxRetries: Type.Integer({ minimum: 0 }),
  /** End-to-end headers of the function's response, and the trace context of the caller. */
  headers: Type.Array(Type.Tuple([Type.String(), Type.String()])),
  /** For a dead letter of the callback; receivers do not get them. */
  labels: Type.Optional(Labels),
  /** Whether only the secrets of the call's token may sign. */
  ownSecret: Type.Optional(Type.Boolean()),
  /** The depth of the call; absent for none. */
  chainDepth: Type.Optional(Type.Integer({ minimum: 0 })),
  /** The first call of its chain; absent for a call without a chain. */
  rootId: Type.Optional(Type.String()),
  /** The task is to tell the end of this batch; `callId` is the batch's as well, for the records of the callback. */
  batchId: Type.Optional(Type.String({ pattern: callIdPattern.source })),
  /**
   * The envelope of the call that follows in the chain: the task is to store that call, with the result as its body.
   * `url` is empty.
   */
  nextCall: Type.Optional(Type.String()),
  /** Deliveries tried so far. */
  tries: Type.Integer({ minimum: 0 }),
});

export type CallbackTask = Static<typeof CallbackTask>;

export const callbackTaskCodec = createRecordCodec('Asyncfn-Callback', CallbackTask);

export type CallbackReadiness = 'ready' | 'later';

/** `callbacks.<ready|later>.<callId>.<submitter>.<startTime>.<generation>` */
export function callbackSubject(readiness: CallbackReadiness | '*', key: GenerationKey): string {
  return `callbacks.${readiness}.${generationTokens(key)}`;
}

/** Those of all generations of the calls of an address, ready or later. */
export function anyCallbackSubject(address: CallAddress): string {
  return `callbacks.*.${addressTokens(address)}.*`;
}
