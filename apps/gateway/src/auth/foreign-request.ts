import type { IncomingMessage } from 'node:http';
import type { OwnHosts } from '@asyncfn/service-kit';
import { parseUrl } from '@asyncfn/units';
import { type Refusal, refusal } from '../problem.ts';

/** The checked parts of a request. */
export type ForeignCandidate = Pick<IncomingMessage, 'method' | 'headers' | 'socket'>;

/**
 * Refuses a request whose `Host` names another server: to its browser, a web page whose name resolves to the gateway's
 * address (DNS rebinding) has the gateway's own origin. Not needed if callers authenticate.
 */
export function checkHostIsOurs({ headers, socket }: ForeignCandidate, ownHosts: OwnHosts): Refusal | undefined {
  return ownHosts.include(headers.host, socket.localAddress) ? undefined : foreignHost;
}

/**
 * Refuses requests that a page of another origin makes a browser send: without credentials, or with HTTP basic, which
 * browsers add by themselves. A user may follow a link to the gateway, because the linking page does not see the
 * response.
 *
 * Browsers send the origin of a request in `Sec-Fetch-Site` (W3C Fetch Metadata) to HTTPS and loopback addresses, and
 * in `Origin` for all methods except GET. Programs send neither.
 */
export function checkOriginIsOurs(request: ForeignCandidate): Refusal | undefined {
  const { origin, host, 'sec-fetch-site': site } = request.headers;
  if (site === 'same-origin' || (site === undefined && origin === undefined)) {
    return undefined;
  }
  if (site !== undefined && site !== 'none') {
    return isFollowedLink(request) ? undefined : foreignOrigin;
  }
  return origin === undefined || isOrigin(origin, host) ? undefined : foreignOrigin;
}

function isFollowedLink({ method, headers }: ForeignCandidate): boolean {
  return method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

/** Whether the server called `host` serves this origin. */
function isOrigin(origin: string, host: string | undefined): boolean {
  const page = parseUrl(origin);
  if (page === undefined || host === undefined) {
    return false;
  }
  // The scheme determines the default port.
  const called = `${page.protocol}//${host}`;
  return page.host !== '' && parseUrl(called)?.host === page.host;
}

const foreignHost = refusal(
  'foreign_host',
  'Host names another server. Without tokens the gateway answers only to localhost and the names in ALLOWED_HOSTS: ' +
    'set it to the names that callers use.',
);

const foreignOrigin = refusal(
  'foreign_origin',
  'A web page of another origin sent this request. Pages may call the gateway that served them, or send a token as ' +
    'Bearer. A proxy in front must pass on Host unchanged.',
);
