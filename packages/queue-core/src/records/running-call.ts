import { type Static, Type } from 'typebox';
import { type CallIdentity, identityTokens, parseIdentity } from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** What a worker says of a call that it has in hand, or had a moment ago. */
export const RunningReport = Type.Object({
  v: Type.Literal(1),
  /** `left`: it was in its hands, and how that went is stored already. */
  standing: Type.Union([Type.Literal('running'), Type.Literal('left')]),
  generation: Type.Integer({ minimum: 0 }),
  /** Retries made before the attempt that runs. */
  retry: Type.Integer({ minimum: 0 }),
  maxRetries: Type.Integer({ minimum: 0 }),
  /** Start of the first attempt: Unix time in milliseconds. */
  startedAt: Type.Number(),
});

export type RunningReport = Static<typeof RunningReport>;

export const runningReportCodec = createRecordCodec('Asyncfn-Held', RunningReport);

/**
 * The subjects of core NATS on which gateways and workers speak of one call. Nothing on them is stored: whoever misses a
 * word finds out from what is.
 */
export type CallSignal =
  /** A gateway asks who runs the call. Only that worker answers. */
  | 'running'
  /** A worker has begun an attempt, or stored the next one. */
  | 'moved'
  /** A gateway has cancelled the call. The worker that runs it aborts its attempt and answers. */
  | 'cancel';

/** `asyncfn.calls.<callId>.<submitter>.<startTime>.<word>`. Throws for what could break out of its token (P7). */
export function signalSubject(call: CallIdentity, signal: CallSignal): string {
  return `asyncfn.calls.${identityTokens(call)}.${signal}`;
}

/** The subjects of a word of every call. */
export function anySignalSubject(signal: CallSignal): string {
  return `asyncfn.calls.*.*.*.${signal}`;
}

/** The call of such a subject; undefined for one that is not ours. */
export function signalCall(subject: string): CallIdentity | undefined {
  return parseIdentity(...subject.split('.').slice(2, 5));
}
