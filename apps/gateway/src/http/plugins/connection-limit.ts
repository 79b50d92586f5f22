import type { Logger } from '@asyncfn/service-kit';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import type { GatewayMetrics } from '../../metrics.ts';

export interface ConnectionLimitOptions {
  /** Connections beyond these many are closed as they come. */
  readonly maxConnections: number;
  readonly metrics: Pick<GatewayMetrics, 'connectionDropped'>;
  readonly logger: Logger;
}

/** How often the log says that connections are being dropped, at most, in milliseconds. */
const logEveryMs = 60_000;

/**
 * Bounds how many connections there are, and with them what they cost in memory and descriptors. Once there are too many,
 * the idle ones go, so that whoever comes next finds room: a client that keeps a connection for later has to reckon with
 * losing it at any time (RFC 9112, 9.5).
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
