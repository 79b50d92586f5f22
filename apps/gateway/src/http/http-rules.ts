import type { IncomingMessage } from 'node:http';
import { type Refusal, refusal } from '../problem.ts';

/** Refuses what node's parser lets through but HTTP/1 does not know, as a problem and not in node's bare way. */
export function refuseForm(request: IncomingMessage): Refusal | undefined {
  return refuseVersion(request) ?? refuseHost(request);
}

/** A line without a version, `GET /path`, is HTTP/0.9: it has no headers, and whoever sends it today means something else. */
function refuseVersion({ httpVersion }: IncomingMessage): Refusal | undefined {
  return httpVersion === '1.1' || httpVersion === '1.0'
    ? undefined
    : refusal('malformed_request', 'Only HTTP/1.1 and HTTP/1.0 are spoken here.');
}

/** Two of them are an attempt to have two servers on the way understand two different things (RFC 9112, 3.2). */
function refuseHost({ httpVersion, rawHeaders }: IncomingMessage): Refusal | undefined {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') {
      hosts += 1;
    }
  }
  const allowed = hosts === 1 || (hosts === 0 && httpVersion === '1.0');
  return allowed ? undefined : refusal('malformed_request', 'A request has exactly one Host header.');
}
