import type { Scope } from '@asyncfn/tokens';
import type { FastifyInstance, RouteOptions } from 'fastify';

/**
 * Who may use a route: anybody; callers with a scope; or every caller, where it depends on the call what the caller may
 * do with it. Such a route asks `decideCallAccess`.
 */
export type RouteScope = 'open' | 'caller' | Scope;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route says it, or the gateway does not start. */
    scope?: RouteScope;
  }
}

/**
 * Keeps the gateway from starting with a route that does not say whom it is for: it would be for everybody, by an
 * oversight. Comes before everything that brings routes.
 */
export function requireScopes(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  // Not before: those of other people's plugins are given a scope by a hook of the plugin that brings them in.
  app.addHook('onReady', (done) => {
    const undeclared = routes.filter(({ config }) => config?.scope === undefined);
    const names = undeclared.map(({ method, url }) => `${String(method)} ${url}`);
    done(names.length === 0 ? undefined : new Error(`routes without config.scope: ${names.join(', ')}`));
  });
}
