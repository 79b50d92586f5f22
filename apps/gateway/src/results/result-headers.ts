import { type EndedCall, endToEndHeaders, type HeaderList } from '@asyncfn/queue-core';

/**
 * Headers of a function's response that are part of its result, beside those with a prefix below: headers that describe
 * the body, and those that a client needs for a status other than 200. None of them instructs browsers or caches in the
 * name of the gateway.
 */
const described: ReadonlySet<string> = new Set([
  'content-digest',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-md5',
  'content-range',
  'content-type',
  'digest',
  'etag',
  'last-modified',
  'location',
  'repr-digest',
  'retry-after',
]);

/** Prefixes of custom headers, and of CloudEvents (HTTP binding, 3.1.3). */
const ownPrefixes: readonly string[] = ['x-', 'ce-'];

/** Exceptions: headers that browsers and crawlers obey, and those that the gateway sets itself. */
const heeded: ReadonlySet<string> = new Set([
  'x-call-id',
  'x-callback-signature',
  'x-cascade',
  'x-content-security-policy',
  'x-content-security-policy-report-only',
  'x-content-type-options',
  'x-dns-prefetch-control',
  'x-download-options',
  'x-frame-options',
  'x-function-status',
  'x-permitted-cross-domain-policies',
  'x-robots-tag',
  'x-sourcemap',
  'x-ua-compatible',
  'x-webkit-csp',
  'x-webkit-csp-report-only',
  'x-xrds-location',
  'x-xss-protection',
]);

/** Headers that control servers in front of the gateway: nginx, Apache, lighttpd, LiteSpeed, Perlbal, Envoy. */
const orders: readonly string[] = ['x-accel-', 'x-sendfile', 'x-lighttpd-', 'x-litespeed-', 'x-reproxy-', 'x-envoy-'];

/**
 * Browsers must not run a function's response as a page of the gateway, which has the operators' API, or expose it to
 * other sites. Caches must not store it.
 */
const ours: HeaderList = [
  ['Cache-Control', 'private, no-store'],
  ['Content-Security-Policy', 'sandbox'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['X-Content-Type-Options', 'nosniff'],
];

/**
 * The headers of a result: those of the function that are harmless in an answer of the gateway, grouped by name, the
 * gateway's own, and the function's status in `X-Function-Status` (as in a callback: 504 if the call expired, 503 if its
 * function never answered).
 */
export function resultHeaders({ outcome }: EndedCall): Record<string, string | string[]> {
  const { callId, functionStatus = outcome.status === 'expired' ? 504 : 503, headers } = outcome;
  const result = new Map<string, string[]>();
  const identity: HeaderList = [
    ['X-Call-Id', callId],
    ['X-Function-Status', String(functionStatus)],
  ];
  for (const [name, value] of [...endToEndHeaders(headers).filter(isHarmless), ...ours, ...identity]) {
    const lower = name.toLowerCase();
    result.set(lower, [...(result.get(lower) ?? []), value]);
  }
  return Object.fromEntries([...result].map(([name, values]) => [name, values.length > 1 ? values : values.join()]));
}

function isHarmless([name]: HeaderList[number]): boolean {
  const lower = name.toLowerCase();
  const isOwn = startsWithOne(lower, ownPrefixes) && !heeded.has(lower) && !startsWithOne(lower, orders);
  return isOwn || described.has(lower);
}

function startsWithOne(name: string, prefixes: readonly string[]): boolean {
  return prefixes.some((prefix) => name.startsWith(prefix));
}
