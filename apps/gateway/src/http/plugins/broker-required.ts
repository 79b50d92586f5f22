import type { FastifyInstance } from 'fastify';
import { brokerAway } from '../../problem.ts';

/** Refuses the requests of a plugin's routes, at once, while what they ask is not there. */
export function requireBroker(app: FastifyInstance, asked: { readonly available: boolean }): void {
  app.addHook('preHandler', (_, reply, next) => {
    if (asked.available) {
      next();
    } else {
      reply.refuse(brokerAway);
    }
  });
}
