import { isIP, isIPv6 } from 'node:net';
import type { ValueType } from '../config/index.ts';

/** One entry of `ALLOWED_HOSTS`. In lower case, addresses without brackets. */
export type HostPattern =
  | { readonly kind: 'host'; readonly host: string }
  /** All names below a domain. */
  | { readonly kind: 'below'; readonly domain: string }
  | { readonly kind: 'any' };

/** How a setting holds a pattern. */
export const hostPatternType: ValueType<HostPattern> = {
  expected: 'a host name or address without port, *. and a domain for all names below it, or * for any',
  example: 'asyncfn.example.com,*.internal.example',
  parse: parseHostPattern,
  format: formatHostPattern,
};

const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const namePattern = new RegExp(`^${label}(?:\\.${label})*$`);

/** @param host in lower case, an address without brackets */
export function coversHost(pattern: HostPattern, host: string): boolean {
  switch (pattern.kind) {
    case 'host':
      return host === pattern.host;
    case 'below':
      return host.endsWith(`.${pattern.domain}`);
    case 'any':
      return true;
  }
}

function parseHostPattern(text: string): HostPattern | undefined {
  if (text === '*') {
    return { kind: 'any' };
  }
  const lower = text.toLowerCase().replace(/(?<=\w)\.$/, '');
  const address = lower.replace(/^\[(.*)\]$/, '$1');
  if (lower.startsWith('*.')) {
    const domain = lower.slice(2);
    return namePattern.test(domain) && isIP(domain) === 0 ? { kind: 'below', domain } : undefined;
  }
  return namePattern.test(lower) || isIPv6(address) ? { kind: 'host', host: address } : undefined;
}

function formatHostPattern(pattern: HostPattern): string {
  switch (pattern.kind) {
    case 'host':
      return isIPv6(pattern.host) ? `[${pattern.host}]` : pattern.host;
    case 'below':
      return `*.${pattern.domain}`;
    case 'any':
      return '*';
  }
}
