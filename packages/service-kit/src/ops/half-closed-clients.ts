import type { Server } from 'node:http';

/**
 * Has a server answer clients that close their half of the connection once they have sent their requests. TCP lets
 * them, and `nc -N` is one; by default node ends its own half at once, and the answer with it. Node knows the switch,
 * but its types do not.
 */
export function answerHalfClosed(server: Server & { httpAllowHalfOpen?: boolean }): void {
  server.httpAllowHalfOpen = true;
}
