import type { IncomingMessage } from 'node:http';

/** How long a client may continue to send a refused body, in milliseconds. */
const lingerMs = 5_000;

/**
 * Keeps a connection open for a while if a request is answered before its body was read. Closing at once would make the
 * client's system discard the answer (RFC 9112, 9.6); node discards the rest of the body.
 *
 * @returns whether the body has not arrived completely
 */
export function linger(request: IncomingMessage): boolean {
  if (request.complete) {
    return false;
  }
  const timer = setTimeout(() => request.socket.destroy(), lingerMs).unref();
  request.once('close', () => clearTimeout(timer));
  return true;
}
