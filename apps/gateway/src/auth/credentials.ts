/** The content of an `Authorization` header. */
export interface Credentials {
  readonly secret: string;
  /** The user of HTTP basic, which is to be the token's name. */
  readonly user: string | undefined;
}

/**
 * Reads an `Authorization` header: `Bearer TOKEN` (RFC 6750), or `Basic` (RFC 7617) with the token's name as user and
 * the token as password, which is what clients of OpenFaaS send. Undefined for anything else.
 */
export function parseCredentials(header: string): Credentials | undefined {
  const [, scheme = '', value = ''] = /^(bearer|basic) +([A-Za-z0-9._~+/-]+=*) *$/i.exec(header) ?? [];
  if (scheme.toLowerCase() === 'basic') {
    return parseUserPassword(Buffer.from(value, 'base64').toString('utf8'));
  }
  return value === '' ? undefined : { secret: value, user: undefined };
}

function parseUserPassword(text: string): Credentials | undefined {
  const colon = text.indexOf(':');
  return colon < 0 ? undefined : { user: text.slice(0, colon), secret: text.slice(colon + 1) };
}
