import { type Static, Type } from 'typebox';
import { type CallIdentity, identityTokens, parseIdentity } from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** What a worker says of a call that it has in hand, or had a moment ago. */
export const HeldReport = Type.Object({
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

export type HeldReport = Static<typeof HeldReport>;

export const heldReportCodec = createRecordCodec('Asyncfn-Held', HeldReport);

/**
 * The subjects of core NATS on which gateways and workers speak of one call. Nothing on them is stored: whoever misses a
 * word finds out from what is.
 */
export type CallWord =
  /** A gateway asks who runs the call. Only that worker answers. */
  | 'running'
  /** A worker has begun an attempt, or stored the next one. */
  | 'moved'
  /** A gateway has cancelled the call. The worker that runs it aborts its attempt and answers. */
  | 'cancel';

/** `asyncfn.calls.<callId>.<submitter>.<startTime>.<word>`. Throws for what could break out of its token (P7). */
export function wordSubject(call: CallIdentity, word: CallWord): string {
  return `asyncfn.calls.${identityTokens(call)}.${word}`;
}

/** The subjects of a word of every call. */
export function anyWordSubject(word: CallWord): string {
  return `asyncfn.calls.*.*.*.${word}`;
}

/** The call of such a subject; undefined for one that is not ours. */
export function wordCall(subject: string): CallIdentity | undefined {
  return parseIdentity(...subject.split('.').slice(2, 5));
}
