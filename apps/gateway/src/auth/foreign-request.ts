import type { IncomingMessage } from 'node:http';
import type { OwnHosts } from '@asyncfn/service-kit';
import { type Refusal, refusal } from '../problem.ts';

/** What is looked at. */
export type ForeignCandidate = Pick<IncomingMessage, 'method' | 'headers' | 'socket'>;

/**
 * Refuses what names another server: a web page whose name leads to our address (DNS rebinding) is of our own origin to
 * its browser. Where callers prove who they are this is no matter.
 */
export function checkHostIsOurs({ headers, socket }: ForeignCandidate, ownHosts: OwnHosts): Refusal | undefined {
  return ownHosts.include(headers.host, socket.localAddress) ? undefined : foreignHost;
}

/**
 * Refuses what the page of another origin has a browser send: with no credentials, or with those of HTTP basic, which
 * browsers add by themselves. A user may follow a link to us: the page that holds it does not see the response.
 *
 * Browsers say where a request comes from in `Sec-Fetch-Site` (W3C Fetch Metadata) to HTTPS and to loopback addresses,
 * and in `Origin` with all that is no GET. Programs send neither.
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

/** Whether a page of this origin has come from the server that is called `host`. */
function isOrigin(origin: string, host: string | undefined): boolean {
  if (!URL.canParse(origin) || host === undefined) {
    return false;
  }
  const page = new URL(origin);
  // The scheme says which port is left out.
  const called = `${page.protocol}//${host}`;
  return page.host !== '' && URL.canParse(called) && new URL(called).host === page.host;
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
