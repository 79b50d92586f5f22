import { type CallIdentity, identityOf, identityTokens } from './call-identity.ts';

/** One replay generation of a call. Each has an outcome of its own. */
export interface GenerationKey extends CallIdentity {
  /** Replays made. */
  readonly generation: number;
}

/** `<callId>.<submitter>.<startTime>.<generation>`: throws if a part could break out of its token (P7). */
export function generationTokens(key: GenerationKey): string {
  if (!Number.isSafeInteger(key.generation)) {
    throw new TypeError('a generation must be a whole number');
  }
  return `${identityTokens(key)}.${key.generation}`;
}

/** The key of the records of a call in its current generation. */
export function keyOf(
  call: Parameters<typeof identityOf>[0] & { readonly generation?: number | undefined },
): GenerationKey {
  return { ...identityOf(call), generation: call.generation ?? 0 };
}
