import type { HeaderList, UrlCredentials } from '@asyncfn/queue-core';

/** Credentials of a URL are those of HTTP basic (RFC 7617). */
export function basicAuthorization(credentials: UrlCredentials | undefined): HeaderList {
  if (credentials === undefined) {
    return [];
  }
  const pair = `${credentials.user}:${credentials.password}`;
  return [['Authorization', `Basic ${Buffer.from(pair).toString('base64')}`]];
}
