import { displayUrl } from '@asyncfn/service-kit';
import { parseUrl } from '@asyncfn/units';
import type { Attributes } from '@opentelemetry/api';

/** Attributes of the requested server, by the semantic conventions for HTTP clients. No userinfo and no query (P9). */
export function requestAttributes(url: string, retry: number): Attributes {
  return {
    'http.request.method': 'POST',
    'url.full': displayUrl(url),
    ...serverOf(url),
    ...(retry > 0 && { 'http.request.resend_count': retry }),
  };
}

/** A stored URL may come from elsewhere and be invalid. */
function serverOf(url: string): Attributes {
  const parsed = parseUrl(url);
  if (parsed === undefined) {
    return {};
  }
  const { hostname, port, protocol } = parsed;
  return { 'server.address': hostname, 'server.port': Number(port) || (protocol === 'https:' ? 443 : 80) };
}
