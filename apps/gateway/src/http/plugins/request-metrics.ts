import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { GatewayMetrics } from '../../metrics.ts';
import { routePattern } from '../routing.ts';

/** Counts and times every answer, under the pattern of its route: a raw path would be a label without bounds. */
export const requestMetrics = fp(registerRequestMetrics, { name: 'request-metrics' });

function registerRequestMetrics(
  app: FastifyInstance,
  { metrics }: { metrics: GatewayMetrics },
  done: () => void,
): void {
  app.addHook('onResponse', (request, reply, next) => {
    metrics.requestEnded(
      request.method,
      routePattern(app, request) ?? 'other',
      reply.statusCode,
      reply.elapsedTime / 1000,
    );
    next();
  });
  done();
}
