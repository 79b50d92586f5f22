import type { Scope } from '@asyncfn/tokens';
import type { FastifyInstance, RouteOptions } from 'fastify';

/**
 * Who may use a route: anyone, callers with a scope, or every caller if the permission depends on the call. The latter
 * routes use `decideCallAccess`.
 */
export type RouteScope = 'open' | 'caller' | Scope;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Required for every route; otherwise the gateway does not start. */
    scope?: RouteScope;
  }
}

/**
 * Prevents the gateway from starting with a route that declares no scope, which would be open by mistake. Must be
 * registered before all routes.
 */
export function requireScopes(app: FastifyInstance): void {
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  // Not earlier: routes of third-party plugins get their scope from a hook of the plugin that registers them.
  app.addHook('onReady', (done) => {
    const undeclared = routes.filter(({ config }) => config?.scope === undefined);
    const names = undeclared.map(({ method, url }) => `${String(method)} ${url}`);
    done(names.length === 0 ? undefined : new Error(`routes without config.scope: ${names.join(', ')}`));
  });
}
