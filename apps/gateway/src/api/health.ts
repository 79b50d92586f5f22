import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';

/** `GET /healthz`: the process is up. `/readyz` of the operations server says whether it can accept calls. */
export const healthRoutes: FastifyPluginCallbackTypebox = (app, _, done) => {
  app.get(
    '/healthz',
    {
      config: { scope: 'open' },
      schema: {
        summary: 'Whether the gateway is up',
        description: 'Does not check the queue: see `/readyz` on the operations port for that.',
        tags: ['operations'],
        response: {
          200: {
            description: 'The gateway is up.',
            content: { 'text/plain': { schema: Type.String({ examples: ['OK'] }) } },
          },
        },
      },
    },
    (_request, reply) => {
      reply.type('text/plain').send('OK');
    },
  );
  done();
};
