import { createHmac as createNodeHmac, type Hmac, timingSafeEqual } from 'node:crypto';
import type { Claim, HashAlgorithm } from './claim.ts';

/**
 * The hashes that each verification computes, for every function alike: as many as the function with most secrets needs. The
 * time of an answer then tells nothing about a name.
 */
export type Effort = ReadonlyMap<HashAlgorithm, number>;

export type Verdict =
  | { readonly kind: 'valid' }
  /** `reason` is a text of ours, for the log alone. */
  | { readonly kind: 'invalid'; readonly reason: string };

export interface Verification {
  readonly claim: Claim;
  /** Empty: nothing is valid, and the same work is done. */
  readonly keys: readonly Uint8Array[];
  readonly effort: Effort;
  readonly body: Uint8Array;
  /** Unix time in milliseconds. */
  readonly now: number;
  /** Default: node's. */
  readonly createHmac?: (algorithm: HashAlgorithm, key: Uint8Array) => Hmac;
}

/** Stands in for a key that is not there. */
const noKey = new Uint8Array(32);

/** Decides whether a body was signed with one of the keys, in a time that depends on its length and on `effort` alone. */
export function verify({ claim, keys, effort, body, now, createHmac = createNodeHmac }: Verification): Verdict {
  const claimed = claim.signatures.map((each) => Buffer.from(each, 'latin1'));
  let isSigned = false;
  for (const [algorithm, count] of withRoom(effort, claim.algorithm, keys.length)) {
    for (let at = 0; at < count; at += 1) {
      const key = algorithm === claim.algorithm ? keys[at] : undefined;
      const hmac = createHmac(algorithm, key ?? noKey)
        .update(claim.before, 'latin1')
        .update(body);
      const expected = Buffer.from(hmac.digest(claim.encoding), 'latin1');
      const matches = claimed.filter((each) => isSame(each, expected)).length;
      isSigned = (matches > 0 && key !== undefined) || isSigned;
    }
  }
  const reason = claim.fault ?? (isSigned ? timeFault(claim, now) : 'no signature matches');
  return reason === undefined ? { kind: 'valid' } : { kind: 'invalid', reason };
}

/** The effort, and at least the hashes that these keys need. */
function withRoom(effort: Effort, algorithm: HashAlgorithm, keys: number): Effort {
  return (effort.get(algorithm) ?? 0) >= keys ? effort : new Map([...effort, [algorithm, keys]]);
}

function timeFault({ time }: Claim, now: number): string | undefined {
  if (time === undefined) {
    return undefined;
  }
  const age = now - Number(time.text) * 1000;
  if (Math.abs(age) <= time.toleranceMs) {
    return undefined;
  }
  return age > 0 ? 'signed too long ago' : 'signed too far in the future';
}

/** Takes the same time for every mismatch, so that no one can find a signature step by step. */
function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
