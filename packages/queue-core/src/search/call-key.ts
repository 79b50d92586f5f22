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

/**
 * Thirty-two bits, of which each label, the parent and the batch of a call set two. A call whose bits do not include
 * those of a filter is not what the filter selects.
 */
export function marksOf({
  labels = [],
  parentId,
  batchId,
}: Pick<CallFacts, 'labels' | 'parentId' | 'batchId'>): number {
  let marks = 0;
  for (const label of labels) {
    marks |= bitsOf(`label ${label}`);
  }
  marks |= parentId === undefined ? 0 : bitsOf(`parent ${parentId}`);
  marks |= batchId === undefined ? 0 : bitsOf(`batch ${batchId}`);
  return marks >>> 0;
}

function bitsOf(text: string): number {
  const hash = hashOf(text);
  return (1 << (hash & 31)) | (1 << ((hash >>> 5) & 31));
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
