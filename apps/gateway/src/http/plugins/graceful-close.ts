import { Server, type Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether answers must say `Connection: close`. */
    readonly isClosing: () => boolean;
  }
}

/** How often a closing server looks for idle connections, in milliseconds. */
const sweepMs = 50;

/**
 * How long a connection that is idle when the close begins may still bring a request, in milliseconds. A client may
 * already have sent its next one, which would be reset otherwise.
 */
const lastRequestMs = 500;

/**
 * Lets `app.close()` end as soon as the requests in flight are answered (P8).
 *
 * The server accepts no more connections, and answers say `Connection: close`. It still serves requests that arrive
 * meanwhile, or whose headers have arrived in part: the queue stays available until the last of them, and a refusal
 * would make clients repeat their calls. It also closes connections that node leaves open: those without any byte
 * received, and idle ones.
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
    // The `close` of net.Server: that of http.Server closes idle connections at once. Fastify calls that one next.
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

/** Resolves when all connections are closed, after `lastRequestMs` at the latest. */
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
