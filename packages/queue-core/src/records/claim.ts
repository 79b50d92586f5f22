import { type Static, Type } from 'typebox';
import { identityFields, isCallId, ownerOf } from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** Says that a call is about to be stored under an id or a key that may be used once. */
const Claim = Type.Object({
  v: Type.Literal(1),
  ...identityFields,
  queue: Type.String(),
  /** Tells it from every other claim. */
  nonce: Type.String(),
  /** Its call was not stored: the next one may have the id or the key. */
  released: Type.Optional(Type.Literal(true)),
});

export type Claim = Static<typeof Claim>;

export const claimCodec = createRecordCodec('Asyncfn-Claim', Claim);

/** The subjects of all claims. */
export const claimSubjects = ['claims.id.*.*', 'claims.key.*'] as const;

/** `claims.id.<callId>.<submitter>`: throws if a part could break out of its token (P7). */
export function idClaimSubject(callId: string, submitter: string | undefined): string {
  if (!isCallId(callId)) {
    throw new TypeError('a call id must match [A-Za-z0-9_-]{1,128}');
  }
  return `claims.id.${callId}.${ownerOf(submitter)}`;
}

/**
 * `claims.key.<hash>`.
 * @param hash see `hashKey`
 */
export function keyClaimSubject(hash: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw new TypeError('a claim must name a key by its SHA-256 in hex');
  }
  return `claims.key.${hash}`;
}
