import { type Static, Type } from 'typebox';
import { callIdPattern, isCallId } from './call.ts';
import { functionNamePattern, namePartPattern } from './function-name.ts';
import { createRecordCodec } from './record-codec.ts';

/** The result of a call on its way to its receiver. The body travels raw beside it. */
export const CallbackTask = Type.Object({
  v: Type.Literal(1),
  callId: Type.String({ pattern: callIdPattern.source }),
  generation: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  function: Type.String({ pattern: functionNamePattern }),
  queue: Type.String({ pattern: namePartPattern }),
  url: Type.String(),
  /** `X-Function-Status` */
  functionStatus: Type.Integer(),
  /** Of the last attempt at the function. */
  durationMs: Type.Number(),
  /** `X-Start-Time` */
  startTime: Type.String({ pattern: '^[0-9]{1,20}$' }),
  /** Retries of the function. */
  retry: Type.Integer({ minimum: 0 }),
  maxRetries: Type.Integer({ minimum: 0 }),
  /** End-to-end headers of the function's response, and the trace context of the caller. */
  headers: Type.Array(Type.Tuple([Type.String(), Type.String()])),
  /** Of the call; absent for none. */
  chainDepth: Type.Optional(Type.Integer({ minimum: 0 })),
  /** Deliveries tried so far. */
  tries: Type.Integer({ minimum: 0 }),
});

export type CallbackTask = Static<typeof CallbackTask>;

export const callbackTaskCodec = createRecordCodec('Asyncfn-Callback', CallbackTask);

export type CallbackReadiness = 'ready' | 'later';

/** `callbacks.<ready|later>.<callId>.<generation>` */
export function callbackSubject(readiness: CallbackReadiness | '*', { callId, generation }: CallbackKey): string {
  if (!isCallId(callId) || !Number.isSafeInteger(generation)) {
    throw new TypeError('a call id must match [A-Za-z0-9_-]{1,128}, a generation is a whole number');
  }
  return `callbacks.${readiness}.${callId}.${generation}`;
}

export type CallbackKey = Pick<CallbackTask, 'callId' | 'generation'>;
