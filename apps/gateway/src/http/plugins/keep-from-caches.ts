import type { FastifyInstance } from 'fastify';

/**
 * Keeps the answers of a plugin's routes, refusals included, out of caches: a cache may store a 200 or a 404 without an
 * explicit lifetime (RFC 9111, 4.2.2). A route may override this.
 */
export function keepFromCaches(app: FastifyInstance): void {
  app.addHook('onRequest', (_, reply, next) => {
    reply.header('Cache-Control', 'private, no-store');
    next();
  });
}
