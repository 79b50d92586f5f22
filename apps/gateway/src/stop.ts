import type { Broker, Publisher } from '@asyncfn/queue-core/jetstream';
import { type Logger, type OpsServer, type Phase, runPhases, type Tracing } from '@asyncfn/service-kit';
import type { FastifyInstance } from 'fastify';
import type { AcceptedCallSampler } from './enqueue/index.ts';

/** What a stop stops. */
export interface GatewayParts {
  readonly app: Pick<FastifyInstance, 'close' | 'server'>;
  readonly receipts: Pick<AcceptedCallSampler, 'flush'>;
  readonly publisher: Pick<Publisher, 'flush'>;
  readonly broker: Pick<Broker, 'stop'>;
  readonly tracing: Pick<Tracing, 'stop'>;
  readonly ops: Pick<OpsServer, 'stop'>;
}

export interface StopLimits {
  /** For requests in flight, in milliseconds. */
  readonly shutdownTimeoutMs: number;
  /** For what is being published, in milliseconds. */
  readonly publishTimeoutMs: number;
}

/** For what should take no time at all. */
const promptMs = 5_000;

/**
 * Stops a gateway so that each request in flight has its answer, and each 202 is in the stream (P1, P8): the way in is
 * closed first, then what is behind it, and last the probes that tell of it.
 *
 * Rejects when something had to be cut short.
 */
export async function stopGateway(parts: GatewayParts, limits: StopLimits, logger: Logger): Promise<void> {
  const { clean } = await runPhases(stopPhases(parts, limits), { logger });
  if (!clean) {
    throw new Error('the gateway could not be stopped cleanly: see the phases logged before');
  }
}

function stopPhases({ app, receipts, publisher, broker, tracing, ops }: GatewayParts, limits: StopLimits): Phase[] {
  return [
    { name: 'finish requests', timeoutMs: limits.shutdownTimeoutMs, run: (signal) => closeApi(app, signal) },
    { name: 'hand over receipts', timeoutMs: promptMs, run: () => receipts.flush() },
    { name: 'flush publisher', timeoutMs: limits.publishTimeoutMs + promptMs, run: () => publisher.flush() },
    { name: 'close broker', timeoutMs: promptMs, run: () => broker.stop() },
    { name: 'export traces', timeoutMs: promptMs, run: () => tracing.stop() },
    { name: 'close operations server', timeoutMs: promptMs, run: () => ops.stop() },
  ];
}

async function closeApi(app: GatewayParts['app'], signal: AbortSignal): Promise<void> {
  signal.addEventListener('abort', () => app.server.closeAllConnections(), { once: true });
  await app.close();
}
