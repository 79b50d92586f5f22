import type { IncomingMessage } from 'node:http';
import { type Refusal, refusal } from '../problem.ts';

/**
 * Refuses requests that node's parser accepts but HTTP/1 does not allow, with a problem instead of node's bare answer.
 */
export function checkForm(request: IncomingMessage): Refusal | undefined {
  return checkVersion(request) ?? checkHost(request) ?? checkTransferCoding(request);
}

/** A line without a version, `GET /path`, is HTTP/0.9. It has no headers, and is a mistake today. */
function checkVersion({ httpVersion }: IncomingMessage): Refusal | undefined {
  return httpVersion === '1.1' || httpVersion === '1.0'
    ? undefined
    : refusal('malformed_request', 'Only HTTP/1.1 and HTTP/1.0 are supported.');
}

/** Two Host headers are an attempt to make two servers on the way disagree (RFC 9112, 3.2). */
function checkHost({ httpVersion, rawHeaders }: IncomingMessage): Refusal | undefined {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length === 4 && name.toLowerCase() === 'host') {
      hosts += 1;
    }
  }
  const allowed = hosts === 1 || (hosts === 0 && httpVersion === '1.0');
  return allowed ? undefined : refusal('malformed_request', 'A request must have exactly one Host header.');
}

/**
 * The only supported transfer coding is chunked. Node's parser accepts others before it, and returns the encoded body
 * (RFC 9112, 6.1). HTTP/1.0 has no transfer codings: the framing of such a message is faulty.
 */
function checkTransferCoding({ headers, httpVersion }: IncomingMessage): Refusal | undefined {
  const value = headers['transfer-encoding'];
  if (value === undefined) {
    return undefined;
  }
  if (httpVersion === '1.0') {
    return refusal('malformed_request', 'HTTP/1.0 has no Transfer-Encoding: send Content-Length.', close);
  }
  const codings = value.split(',').map((coding) => coding.trim().toLowerCase());
  const named = codings.filter((coding) => coding !== '');
  if (named.every((coding) => coding === 'chunked')) {
    return undefined;
  }
  // Only chunked says where the body ends, and so where the next request begins.
  return named.at(-1) === 'chunked' ? unknownTransferCoding : { ...unknownTransferCoding, headers: close };
}

const close = { Connection: 'close' };

export const unknownTransferCoding = refusal(
  'unsupported_transfer_coding',
  'The only supported Transfer-Encoding is chunked. Use Content-Encoding for a compressed body.',
);
