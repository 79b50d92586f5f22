import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { describeAccess, securitySchemes } from './describe-access.ts';
import { serveDocs } from './docs-page.ts';

/** Serves `/openapi.json`, built from the schemas of the routes, and `/docs`. Must be registered before the routes. */
export const apiDescription = fp(registerApiDescription, { name: 'api-description' });

interface ApiDescriptionOptions {
  readonly version: string;
  /** Callers need a token; otherwise a token is optional. */
  readonly needsToken: boolean;
}

async function registerApiDescription(
  app: FastifyInstance,
  { version, needsToken }: ApiDescriptionOptions,
): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'asyncfn gateway',
        description:
          'Puts a durable queue in front of any HTTP function: POST a call, get a 202, receive the result by callback.',
        version,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'calls', description: 'Asynchronous calls of functions' },
        { name: 'batches', description: 'Many calls with one request' },
        { name: 'dead letters', description: 'Failed calls and callbacks' },
        { name: 'operations', description: 'The gateway itself' },
      ],
      components: { securitySchemes },
    },
    transform: ({ schema, url, route }) => ({ schema: describeAccess(schema, route.config?.scope, needsToken), url }),
  });
  serveDocs(app);
  app.get('/openapi.json', { config: { scope: 'open' }, schema: { hide: true } }, (_, reply) =>
    reply.send(app.swagger()),
  );
}
