import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { type Refusal, refusal } from '../problem.ts';
import { RouteTable } from './route-table.ts';
import { enqueueOnlyTarget } from './target.ts';

/** The route of an enqueue, in fastify's words. Sub-path and query are part of it: see `toRoutedUrl`. */
export const enqueuePattern = '/async-function/:name';

/** The route of a webhook, in the same way. */
export const webhookPattern = '/webhook/:name';

declare module 'fastify' {
  interface FastifyInstance {
    /** The routes that exist, each with its methods. */
    readonly routeTable: RouteTable;
  }
}

/** The pattern of the route that a request was for, whatever its method; undefined for an unknown path. */
export function routePattern(app: FastifyInstance, request: FastifyRequest): string | undefined {
  return request.routeOptions.url ?? app.routeTable.patternOf(pathOf(request));
}

/** Paths that do not exist (404) and methods that a path does not have (405), without reading a body. */
export const unknownRoutes = fp(registerUnknownRoutes, { name: 'unknown-routes', dependencies: ['refusals'] });

function registerUnknownRoutes(app: FastifyInstance, _: object, done: () => void): void {
  const table = new RouteTable();
  app.decorate('routeTable', table);
  table.add(enqueueOnlyTarget, ['POST']);
  app.addHook('onRoute', ({ url, method }) => table.add(url, [method].flat()));
  app.addHook('onRequest', (request, reply, next) => {
    if (request.is404) {
      reply.refuse(toRefusal(app, request));
    } else {
      next();
    }
  });
  app.setNotFoundHandler((request, reply) => reply.refuse(toRefusal(app, request)));
  done();
}

function toRefusal(app: FastifyInstance, request: FastifyRequest): Refusal {
  const methods = app.routeTable.methodsOf(pathOf(request));
  const allowed = app.supportedMethods.filter((method) => methods.has(method)).join(', ');
  return allowed === ''
    ? refusal('not_found', 'Nothing exists at this path.')
    : refusal('method_not_allowed', `This path takes ${allowed}.`, { Allow: allowed });
}

function pathOf({ url }: FastifyRequest): string {
  return url.replace(/\?.*$/s, '');
}
