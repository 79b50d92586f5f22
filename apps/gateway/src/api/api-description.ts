import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { describeAccess, securitySchemes } from './describe-access.ts';

/** `/openapi.json`, made from the schemas of the routes, and `/docs`, a page to try them. Comes before the routes. */
export const apiDescription = fp(registerApiDescription, { name: 'api-description' });

interface ApiDescriptionOptions {
  readonly version: string;
  /** Callers need a token; otherwise they may send one all the same. */
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
          'Put any HTTP function behind a durable queue: POST a call, have a 202, get the result by callback.',
        version,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/' }],
      tags: [
        { name: 'calls', description: 'Asynchronous calls of functions' },
        { name: 'dead letters', description: 'Calls and callbacks that came to a bad end' },
        { name: 'operations', description: 'The gateway itself' },
      ],
      components: { securitySchemes },
    },
    transform: ({ schema, url, route }) => ({ schema: describeAccess(schema, route.config?.scope, needsToken), url }),
  });
  // Nothing that is not in the source: who may not call may read how to.
  app.addHook('onRoute', (route) => {
    if (route.url.startsWith('/docs')) {
      route.config = { ...route.config, scope: 'open' };
    }
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    staticCSP: true,
    // The gateway speaks plain HTTP: browsers would look for the page's parts, and send its calls, where nobody listens.
    transformStaticCSP: (header) => header.replace(' upgrade-insecure-requests;', ''),
  });
  app.get('/openapi.json', { config: { scope: 'open' }, schema: { hide: true } }, (_, reply) =>
    reply.send(app.swagger()),
  );
}
