import { type Static, Type } from 'typebox';
import { AttemptRecord } from '../attempts/index.ts';
import { type CallIdentity, identityTokens, parseIdentity } from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** A worker's report about a call that it runs, or ran until a moment ago. */
export const RunningReport = Type.Object({
  v: Type.Literal(1),
  /** `left`: the attempt has ended, and its result is stored. */
  standing: Type.Union([Type.Literal('running'), Type.Literal('left')]),
  generation: Type.Integer({ minimum: 0 }),
  /** Retries made before the attempt that runs. */
  retry: Type.Integer({ minimum: 0 }),
  maxRetries: Type.Integer({ minimum: 0 }),
  /** Start of the first attempt: Unix time in milliseconds. */
  startedAt: Type.Number(),
  /** All attempts, the one that runs last. A worker of an earlier version does not say. */
  history: Type.Optional(Type.Array(AttemptRecord)),
});

export type RunningReport = Static<typeof RunningReport>;

export const runningReportCodec = createRecordCodec('Asyncfn-Held', RunningReport);

/**
 * The signals about one call that gateways and workers exchange over core NATS. They are not stored: a process that
 * misses one learns the state from the streams.
 */
export type CallSignal =
  /** A gateway asks which worker runs the call. Only that worker answers. */
  | 'running'
  /** A worker has begun an attempt, or stored the next one. */
  | 'moved'
  /** A gateway has cancelled the call. The worker that runs it aborts its attempt and answers. */
  | 'cancel';

/** `asyncfn.calls.<callId>.<submitter>.<startTime>.<word>`. Throws for what could break out of its token (P7). */
export function signalSubject(call: CallIdentity, signal: CallSignal): string {
  return `asyncfn.calls.${identityTokens(call)}.${signal}`;
}

/** The subjects of one signal for every call. */
export function anySignalSubject(signal: CallSignal): string {
  return `asyncfn.calls.*.*.*.${signal}`;
}

/** The call of such a subject; undefined for one that is not ours. */
export function signalCall(subject: string): CallIdentity | undefined {
  return parseIdentity(...subject.split('.').slice(2, 5));
}
