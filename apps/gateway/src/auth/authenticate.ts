import { findToken, type Token } from '@asyncfn/tokens';
import { parseCredentials } from './credentials.ts';

export type Authentication =
  | { readonly kind: 'authenticated'; readonly token: Token; readonly scheme: 'basic' | 'bearer' }
  | { readonly kind: 'refused'; readonly why: 'missing' | 'unreadable' | 'unknown' | 'expired' };

/**
 * Identifies the caller of a request.
 *
 * @param authorization the values of all its `Authorization` headers; if there are two, a proxy may have used the other
 * one
 */
export function authenticate(authorization: readonly string[], tokens: readonly Token[], now: number): Authentication {
  const [header] = authorization;
  if (header === undefined) {
    return { kind: 'refused', why: 'missing' };
  }
  const credentials = authorization.length > 1 ? undefined : parseCredentials(header);
  if (credentials === undefined) {
    return { kind: 'refused', why: 'unreadable' };
  }
  const token = findToken(tokens, credentials.secret);
  if (token === undefined || (credentials.user !== undefined && credentials.user !== token.name)) {
    return { kind: 'refused', why: 'unknown' };
  }
  return token.expiresAt !== undefined && token.expiresAt <= now
    ? { kind: 'refused', why: 'expired' }
    : { kind: 'authenticated', token, scheme: credentials.user === undefined ? 'bearer' : 'basic' };
}
