import { type Static, Type } from 'typebox';
import { BodyObject, bodyIdPattern, type Call, identityFields, identityOf } from '../call/index.ts';
import { createRecordCodec } from '../records/index.ts';

/** The call that a stored body belongs to, and where it was accepted. */
export const BodyOwner = Type.Object({ ...identityFields, queue: Type.String(), function: Type.String() });

export type BodyOwner = Static<typeof BodyOwner>;

const whole = {
  /** `condemned`: a process looks whether anything refers to it, and removes it if not. Readers can still read it. */
  state: Type.Union([Type.Literal('stored'), Type.Literal('condemned')]),
  object: BodyObject,
  owner: BodyOwner,
};

/**
 * The state of a stored body. Each change expects the record before it, so of two processes that change it at once, one
 * learns that it was second.
 */
export const BodyRecord = Type.Union([
  /** Its chunks are being stored. */
  Type.Object({ v: Type.Literal(1), state: Type.Literal('uploading') }),
  /** The body of a call. */
  Type.Object({ v: Type.Literal(1), ...whole }),
  /**
   * The response to a call. It is kept for more than the body of a call is, so a reader that does not know of responses must
   * not take it for one.
   */
  Type.Object({
    v: Type.Literal(2),
    ...whole,
    /** The replay generation of the call. */
    generation: Type.Integer({ minimum: 0 }),
    /** The next step of the chain, whose body it is as well. */
    next: Type.Optional(BodyOwner),
  }),
]);

export type BodyRecord = Static<typeof BodyRecord>;

/** A body that is stored as a whole. */
export type WholeBody = Extract<BodyRecord, { state: 'stored' | 'condemned' }>;

/** A response that is stored as a whole. */
export type StoredReply = Extract<BodyRecord, { v: 2 }>;

/** The call as the record of its body, or of its response, names it. */
export function bodyOwnerOf(call: Pick<Call, 'id' | 'startTime' | 'submitter' | 'queue' | 'function'>): BodyOwner {
  return { ...identityOf(call), queue: call.queue, function: call.function };
}

export const bodyRecordCodec = createRecordCodec('Asyncfn-Body', BodyRecord);

/** The bucket of NATS' object store (NATS ADR-20). */
export const bodyBucket = 'BODIES';
/** What the subjects of all bodies begin with. */
export const bodySpace = `$O.${bodyBucket}`;
/** The records of all bodies. */
export const bodyRecordFilter = `${bodySpace}.M.*`;
/** The chunks of all bodies. */
export const bodyChunkFilter = `${bodySpace}.C.*`;

/** The chunks of a body: throws for what is not the id of one (P7). */
export function bodyChunkSubject(id: string): string {
  return `${bodySpace}.C.${toToken(id)}`;
}

/** The record of a body; throws as `bodyChunkSubject`. */
export function bodyRecordSubject(id: string): string {
  return `${bodySpace}.M.${toToken(id)}`;
}

/** The id in a subject of a body; undefined for any other subject. */
export function bodyIdIn(subject: string): string | undefined {
  const [root, bucket, kind, token = '', ...rest] = subject.split('.');
  if (root !== '$O' || bucket !== bodyBucket || (kind !== 'C' && kind !== 'M') || rest.length > 0) {
    return undefined;
  }
  const id = Buffer.from(token, 'base64url').toString('latin1');
  return bodyIdPattern.test(id) && toToken(id) === token ? id : undefined;
}

/** The object store names an object by its base64url. Ours is the nuid of its chunks as well, so each leads to the other. */
export function toToken(id: string): string {
  if (!bodyIdPattern.test(id)) {
    throw new TypeError('the id of a body must match [A-Za-z0-9_-]{24}');
  }
  return Buffer.from(id, 'latin1').toString('base64url');
}
