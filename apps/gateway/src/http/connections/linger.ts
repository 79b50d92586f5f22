import type { IncomingMessage } from 'node:http';

/** How long a client may go on with a body that was refused, in milliseconds. */
const lingerMs = 5_000;

/**
 * Keeps a connection open for a while on which a request is answered before its body was read. To close at once would
 * make the client's system throw the answer away (RFC 9112, 9.6); node discards what still comes.
 *
 * @returns whether the body has not come whole
 */
export function linger(request: IncomingMessage): boolean {
  if (request.complete) {
    return false;
  }
  const timer = setTimeout(() => request.socket.destroy(), lingerMs).unref();
  request.once('close', () => clearTimeout(timer));
  return true;
}
