import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Caller } from './caller.ts';

/** A token as the gateway knows it: what it is for, and a hash of it. */
export interface Token extends Caller {
  readonly name: string;
  /** SHA-256. More than one while a token is being replaced. */
  readonly hashes: readonly Buffer[];
  /** Unix time in milliseconds. */
  readonly expiresAt: number | undefined;
}

const tokenBytes = 32;

/** A new token. The prefix lets secret scanners find one that has leaked. */
export function createToken(): string {
  return `asyncfn_${randomBytes(tokenBytes).toString('base64url')}`;
}

/**
 * SHA-256 rather than a password hash: a token is 256 random bits, which cannot be guessed, and hashing it must not
 * cost more than its call.
 */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

/** The token of a secret. Compares all of them, so that the time taken reveals nothing. */
export function findToken(tokens: readonly Token[], secret: string): Token | undefined {
  const presented = hashToken(secret);
  let found: Token | undefined;
  for (const token of tokens) {
    for (const hash of token.hashes) {
      found = timingSafeEqual(hash, presented) ? token : found;
    }
  }
  return found;
}

const written = /^sha256:([0-9a-f]{64})$/i;

/** A hash as written in a tokens file: `sha256:` and 64 hexadecimal digits. */
export function formatHash(hash: Buffer): string {
  return `sha256:${hash.toString('hex')}`;
}

export function parseHash(text: string): Buffer | undefined {
  const digits = written.exec(text)?.[1];
  return digits === undefined ? undefined : Buffer.from(digits, 'hex');
}
