import type { HeaderList } from '@asyncfn/queue-core';

/**
 * The SHA-256 that `Content-Digest` announces (RFC 9530, 2), of the body as it is sent; undefined without a readable one, as for
 * other algorithms.
 */
export function announcedDigest(headers: HeaderList): Buffer | undefined {
  const value = headers.find(([name]) => name.toLowerCase() === 'content-digest')?.[1];
  const encoded = value && /(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):[ \t]*(?:,|$)/.exec(value)?.[1];
  return encoded === undefined || encoded === '' ? undefined : Buffer.from(encoded, 'base64');
}
