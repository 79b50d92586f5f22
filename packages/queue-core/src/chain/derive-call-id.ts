import { createHash } from 'node:crypto';

/** One call in one replay generation: its id may be reused once it is forgotten. */
export interface ParentLife {
  readonly callId: string;
  /** `X-Start-Time` of the call, as received; empty if it was missing. */
  readonly startTime: string;
  /** Replays made of it: 0 for none. */
  readonly generation: number;
}

/** The target of a call, as far as it distinguishes the followers of one parent. */
export interface FollowerTarget {
  /** `NAME` or `NAME.NAMESPACE`, as the register has it. */
  readonly function: string;
  /** Sub-path byte for byte (latin1). */
  readonly path: string;
  /** Query byte for byte (latin1), without its question mark. */
  readonly query: string;
  /** Name of the token that it is submitted with: strangers cannot take the place of each other's followers. */
  readonly submitter: string | undefined;
}

/**
 * The id of the call that the callback of another one makes: however often that callback is delivered, and through
 * whatever gateway, it is the same. Another target, another replay and another life of the parent make another one.
 */
export function callbackFollowerId(parent: ParentLife, target: FollowerTarget): string {
  const { function: name, path, query, submitter } = target;
  return deriveCallId(parent, ['callback', name, path, query, submitter ?? null]);
}

/**
 * An id that is a function of a life of a call and of what follows it, and nothing else.
 *
 * @param follower names what follows; its first part says which kind of follower it is, so that two kinds never meet
 */
export function deriveCallId(parent: ParentLife, follower: readonly [kind: string, ...(string | null)[]]): string {
  const { callId, startTime, generation } = parent;
  return deriveId(['asyncfn', callId, startTime, generation, ...follower]);
}

/** A UUIDv8 made from a SHA-256 (RFC 9562, 5.8 and B.2): the same for the same parts, in every process. */
export function deriveId(parts: readonly (string | number | null)[]): string {
  // JSON keeps the parts apart, whatever they hold.
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
