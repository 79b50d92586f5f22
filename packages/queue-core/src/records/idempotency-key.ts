import { createHash, type Hash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import type { Call } from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** The record of the call that came with an `Idempotency-Key`. */
export const KeyRecord = Type.Object({
  v: Type.Literal(1),
  callId: Type.String(),
  /** `X-Start-Time` of the call. */
  startTime: Type.String(),
  /** The call must not be invoked earlier: Unix time in milliseconds. */
  notBefore: Type.Optional(Type.Number()),
  /** Of what the call asked for: see `fingerprintOf`. */
  fingerprint: Type.String(),
  /** The call was cancelled before it was stored, and never is. */
  cancelled: Type.Optional(Type.Literal(true)),
});

export type KeyRecord = Static<typeof KeyRecord>;

export const keyRecordCodec = createRecordCodec('Asyncfn-Key', KeyRecord);

/** Whether `text` can be an idempotency key: 1 to 255 visible ASCII characters. */
export function isIdempotencyKey(text: string): boolean {
  return /^[!-~]{1,255}$/.test(text);
}

/**
 * A key as one token of a subject: what clients send is never a token itself (P7) and cannot be read from it (P9). The
 * same key means another thing for another function and for another submitter.
 */
export function hashKey({ function: name, submitter = '' }: Pick<Call, 'function' | 'submitter'>, key: string): string {
  return createHash('sha256').update(`${name}\0${submitter}\0${key}`).digest('hex');
}

/** The same for a derived id. No key has this hash, since keys are hashed with three parts. */
export function hashDerivedId(callId: string): string {
  return createHash('sha256').update(`derived\0${callId}`).digest('hex');
}

/**
 * Tells whether two calls ask for the same: their sub-path, query and body. Headers do not count, because many of them
 * differ from one try to the next: dates, traces, credentials.
 */
export function fingerprintOf({ path, query, body }: Pick<Call, 'path' | 'query' | 'body'>): string {
  return endFingerprint(startFingerprint({ path, query }).update(body));
}

/** The fingerprint of a call whose body comes piece by piece: update it with each, and then `endFingerprint`. */
export function startFingerprint({ path, query }: Pick<Call, 'path' | 'query'>): Hash {
  return createHash('sha256').update(`${path}\0${query}\0`, 'latin1');
}

export function endFingerprint(hash: Hash): string {
  return hash.digest('base64url');
}

/** The record to store for the call. */
export function toKeyRecord(call: Call, fingerprint = fingerprintOf(call)): KeyRecord {
  const { id: callId, startTime, notBefore } = call;
  return { v: 1, callId, startTime, ...(notBefore !== undefined && { notBefore }), fingerprint };
}
