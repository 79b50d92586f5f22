import type { Logger } from '@asyncfn/service-kit';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { GatewayMetrics } from '../../metrics.ts';

export interface ConnectionLimitOptions {
  /** Further connections are closed on arrival. */
  readonly maxConnections: number;
  readonly metrics: Pick<GatewayMetrics, 'connectionDropped'>;
  readonly logger: Logger;
}

/** Minimum interval of the log line about dropped connections, in milliseconds. */
const logEveryMs = 60_000;

/**
 * Limits the number of connections, and so their memory and file descriptors. At the limit, idle connections are closed
 * to make room for new ones: a client must expect to lose an idle connection at any time (RFC 9112, 9.5).
 */
export const connectionLimit = fp(registerConnectionLimit, { name: 'connection-limit' });

function registerConnectionLimit(app: FastifyInstance, options: ConnectionLimitOptions, done: () => void): void {
  const { maxConnections, metrics, logger } = options;
  let loggedAt = Number.NEGATIVE_INFINITY;
  app.server.maxConnections = maxConnections;
  app.server.on('drop', () => {
    metrics.connectionDropped();
    app.server.closeIdleConnections();
    if (performance.now() - loggedAt >= logEveryMs) {
      loggedAt = performance.now();
      logger.warn({ maxConnections }, 'too many connections, new ones are dropped and idle ones closed');
    }
  });
  done();
}
