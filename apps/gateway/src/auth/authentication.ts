import type { Caller } from '@asyncfn/tokens';
import rateLimit from '@fastify/rate-limit';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { Refusal } from '../problem.ts';
import { Gatekeeper, type GatekeeperOptions } from './gatekeeper.ts';

declare module 'fastify' {
  interface FastifyInstance {
    readonly gatekeeper: Gatekeeper;
  }
  interface FastifyRequest {
    /** Null before it is known, and on open routes. */
    caller: Caller | null;
  }
}

export type AuthenticationOptions = Pick<GatekeeperOptions, 'tokens' | 'ownHosts'>;

/** Makes the gatekeeper check every request of a route that is not open. Must be registered before the routes. */
export const authentication = fp(registerAuthentication, { name: 'authentication', dependencies: ['refusals'] });

/** The caller of a request, on a route that is not open. */
export function callerOf({ caller }: FastifyRequest): Caller {
  if (caller === null) {
    throw new Error('a route that is open to everyone has no caller');
  }
  return caller;
}

async function registerAuthentication(
  app: FastifyInstance,
  { tokens, ownHosts }: AuthenticationOptions,
): Promise<void> {
  app.decorateRequest('caller', null);
  await app.register(rateLimit, { global: false });
  const gatekeeper = new Gatekeeper({ tokens, ownHosts, countRequest: createCount(app) });
  app.decorate('gatekeeper', gatekeeper);
  app.addHook('onRequest', (request, reply, next) => {
    if (request.routeOptions.config.scope === 'open') {
      next();
      return;
    }
    const refused = identify(gatekeeper, request);
    if (refused !== undefined) {
      reply.refuse(refused);
    } else if (callerOf(request).rate === undefined) {
      next();
    } else {
      gatekeeper
        .refuseExcess(callerOf(request))
        .then((excess) => (excess === undefined ? next() : reply.refuse(excess)), next);
    }
  });
}

/** Stores the caller of a request. */
function identify(gatekeeper: Gatekeeper, request: FastifyRequest): Refusal | undefined {
  const identified = gatekeeper.identify(request.raw);
  if (identified.kind === 'refused') {
    return identified;
  }
  request.caller = identified.caller;
  const { scope } = request.routeOptions.config;
  return gatekeeper.refuseScope(identified.caller, scope === 'open' ? undefined : scope);
}

/** Counts the requests of each token in this process, in fixed windows of time. */
function createCount(app: FastifyInstance): GatekeeperOptions['countRequest'] {
  const count = app.createRateLimit({
    keyGenerator: ({ caller }) => caller?.name ?? '',
    max: ({ caller }) => caller?.rate?.requests ?? Number.MAX_SAFE_INTEGER,
    timeWindow: ({ caller }) => caller?.rate?.windowMs ?? 0,
  });
  return async (caller) => {
    // The plugin passes it to the three functions above, and reads route settings from it.
    const counted = await count({ caller, routeOptions: {} } as FastifyRequest);
    return counted.isAllowed || !counted.isExceeded ? undefined : counted.ttlInSeconds;
  };
}
