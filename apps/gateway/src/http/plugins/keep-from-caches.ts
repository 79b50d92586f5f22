import type { FastifyInstance } from 'fastify';

/**
 * Keeps the answers of a plugin's routes to whoever asked, refusals too: a cache on the way may keep a 200 or a 404 that
 * does not say how long it holds (RFC 9111, 4.2.2). A route may say more.
 */
export function keepFromCaches(app: FastifyInstance): void {
  app.addHook('onRequest', (_, reply, next) => {
    reply.header('Cache-Control', 'private, no-store');
    next();
  });
}
