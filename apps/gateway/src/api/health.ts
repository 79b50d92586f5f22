import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';

/** `GET /healthz`: the process is up. Whether it can take calls is told by `/readyz` of the operations server. */
export const healthRoutes: FastifyPluginCallbackTypebox = (app, _, done) => {
  app.get(
    '/healthz',
    {
      config: { scope: 'open' },
      schema: {
        summary: 'Whether the gateway is up',
        description: 'Says nothing of the queue behind it: see `/readyz` on the operations port for that.',
        tags: ['operations'],
        response: {
          200: {
            description: 'It is up.',
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
