import { type CallIdentity, identityTokens } from '../call/index.ts';
import { type CallFacts, createdAtMicros } from './call-filter.ts';

/**
 * Where a call stands in the order of all calls: by the time it was accepted, then by a hash of its identity, because the
 * calls of a batch are all accepted at one time. Both never change, whatever becomes of the call.
 */
export interface CallKey {
  /** Unix time in microseconds. */
  readonly micros: number;
  readonly hash: number;
}

export function keyOfCall(call: CallIdentity): CallKey {
  return { micros: createdAtMicros(call.startTime), hash: hashOf(identityTokens(call)) };
}

/** Negative if `a` is older than `b`. */
export function compareKeys(a: CallKey, b: CallKey): number {
  return a.micros - b.micros || a.hash - b.hash;
}

/** Two words of 32 bits: see `marksOf`. */
export type Marks = readonly [low: number, high: number];

/**
 * Sixty-four bits, of which each label, the flow key, the parent and the batch of a call set four. A call whose bits do not include
 * those of a filter is not what the filter selects.
 */
export function marksOf({
  labels = [],
  flowKey,
  parentId,
  batchId,
}: Pick<CallFacts, 'labels' | 'flowKey' | 'parentId' | 'batchId'>): Marks {
  const texts = labels.map((label) => `label ${label}`);
  if (flowKey !== undefined) {
    texts.push(`flow ${flowKey}`);
  }
  if (parentId !== undefined) {
    texts.push(`parent ${parentId}`);
  }
  if (batchId !== undefined) {
    texts.push(`batch ${batchId}`);
  }
  let [low, high] = [0, 0];
  for (const text of texts) {
    const hash = hashOf(text);
    low |= twoBits(hash);
    high |= twoBits(hash >>> 10);
  }
  return [low >>> 0, high >>> 0];
}

/** Two of 32 bits that are not the same, by the last ten bits of a hash. */
function twoBits(hash: number): number {
  const first = hash & 31;
  return (1 << first) | (1 << ((first + 1 + (((hash >>> 5) & 31) % 31)) & 31));
}

/** FNV-1a, with the mixing of MurmurHash3 at its end. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
