import { Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether answers are to say `Connection: close`. */
    readonly isClosing: () => boolean;
  }
}

/** How often connections that have become idle are looked for while the server closes, in milliseconds. */
const sweepMs = 50;

/**
 * How long a connection that is idle when the close begins may still bring a request, in milliseconds. Many a client
 * has sent its next one already, and would see it reset.
 */
const lastRequestMs = 500;

/**
 * Lets `app.close()` end as soon as the requests in flight are answered (P8).
 *
 * No connection is accepted any more, and answers say `Connection: close`. Requests that arrive all the same, or were
 * under way with only a part of their headers there, are served as ever: the queue is there until the last of them, and
 * a client would have to send a call again that was refused for no reason of its own. What node leaves open goes as
 * well: connections on which no byte has come, and those that stay or become idle.
 */
export const gracefulClose = fp(registerGracefulClose, { name: 'graceful-close' });

function registerGracefulClose(app: FastifyInstance, _: object, done: () => void): void {
  const sockets = new Set<Socket>();
  let closing = false;
  let sweep: NodeJS.Timeout | undefined;
  app.decorate('isClosing', () => closing);
  app.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  app.addHook('onSend', (_request, reply, payload, next) => {
    if (closing) {
      reply.header('connection', 'close');
    }
    next(null, payload);
  });
  app.addHook('preClose', (next) => {
    closing = true;
    // Not that of HTTP servers, which closes idle connections at once. Fastify calls that one next.
    Server.prototype.close.call(app.server);
    awaitLastRequests(sockets, () => {
      sweep = setInterval(() => closeUnused(app, sockets), sweepMs);
      next();
    });
  });
  app.addHook('onClose', (_instance, next) => {
    clearInterval(sweep);
    next();
  });
  done();
}

/** Continues when all connections are closed, and after `lastRequestMs` at the latest. */
function awaitLastRequests(sockets: ReadonlySet<Socket>, next: () => void): void {
  const startedAt = performance.now();
  const timer = setInterval(() => {
    if (sockets.size === 0 || performance.now() - startedAt >= lastRequestMs) {
      clearInterval(timer);
      next();
    }
  }, sweepMs);
}

function closeUnused(app: FastifyInstance, sockets: ReadonlySet<Socket>): void {
  app.server.closeIdleConnections();
  for (const socket of sockets) {
    if (socket.bytesRead === 0) {
      socket.destroy();
    }
  }
}
