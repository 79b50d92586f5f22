import { type Static, Type } from 'typebox';
import {
  addressTokens,
  BodyObject,
  type CallAddress,
  callIdPattern,
  functionNamePattern,
  type GenerationKey,
  generationTokens,
  identityFields,
  Labels,
  namePartPattern,
} from '../call/index.ts';
import { createRecordCodec, type RecordCodec } from './record-codec.ts';

/** The result of a call on its way to its receiver. The body travels raw beside it, unless it is stored apart. */
const StoredTask = Type.Object({
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
  /** The body, if it is stored apart. */
  bodyObject: Type.Optional(BodyObject),
  /**
   * `url` and `nextCall` of a task whose body is stored apart. Those are empty then, so that a worker that does not know such
   * bodies makes the task a dead letter, and does not carry it out without its body.
   */
  target: Type.Optional(Type.String()),
  step: Type.Optional(Type.String()),
  /** Deliveries tried so far. */
  tries: Type.Integer({ minimum: 0 }),
});

/** As it is worked with: `url` and `nextCall` are those of every task. */
export type CallbackTask = Omit<Static<typeof StoredTask>, 'target' | 'step'>;

const stored = createRecordCodec('Asyncfn-Callback', StoredTask);

export const callbackTaskCodec: RecordCodec<CallbackTask> = {
  header: stored.header,
  encode: (task) => stored.encode(task.bodyObject === undefined ? task : hidden(task)),
  decode(text) {
    const task = stored.decode(text);
    if (task?.target === undefined) {
      return task;
    }
    const { target: url, step: nextCall, ...rest } = task;
    return { ...rest, url, ...(nextCall !== undefined && { nextCall }) };
  },
};

function hidden({ url: target, nextCall: step, ...task }: CallbackTask): Static<typeof StoredTask> {
  return { ...task, url: '', target, ...(step !== undefined && { step }) };
}

export type CallbackReadiness = 'ready' | 'later';

/** `callbacks.<ready|later>.<callId>.<submitter>.<startTime>.<generation>` */
export function callbackSubject(readiness: CallbackReadiness | '*', key: GenerationKey): string {
  return `callbacks.${readiness}.${generationTokens(key)}`;
}

/** Those of all generations of the calls of an address, ready or later. */
export function anyCallbackSubject(address: CallAddress): string {
  return `callbacks.*.${addressTokens(address)}.*`;
}
