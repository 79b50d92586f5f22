import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { checkForm } from '../http-rules.ts';

/** Keeps requests that are not HTTP/1 from all routes. */
export const httpRules = fp(registerHttpRules, { name: 'http-rules', dependencies: ['refusals'] });

function registerHttpRules(app: FastifyInstance, _: object, done: () => void): void {
  app.addHook('onRequest', ({ raw }, reply, next) => {
    const refused = checkForm(raw);
    if (refused !== undefined) {
      reply.refuse(refused);
    } else {
      next();
    }
  });
  done();
}
