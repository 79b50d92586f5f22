import { type Component, createOpsServer, type Logger, opsAddress, type Readiness } from '@asyncfn/service-kit';
import type { Registry } from 'prom-client';
import type { BrokerLink } from './broker/index.ts';
import type { GatewayConfig } from './config.ts';
import type { Intake } from './intake/index.ts';

export interface OperationsOptions extends Pick<BrokerLink, 'broker' | 'topology' | 'register' | 'shared' | 'watch'> {
  readonly config: GatewayConfig;
  readonly durability: Intake['durability'];
  readonly registry: Registry;
  readonly logger: Logger;
  readonly stopping: AbortSignal;
}

/** The operations server: health, readiness, metrics. */
export interface Operations {
  /** The port in use. Throws before the start. */
  readonly port: number;
  /** Opens the server. Starts last, so that the API works when the server says so. */
  readonly opening: Component;
  /** Closes the server. Stops last, so that it reports the stop. */
  readonly closing: Component;
}

const promptMs = 5_000;

export function createOperations(options: OperationsOptions): Operations {
  const { config, registry, logger } = options;
  const ops = createOpsServer({ ...opsAddress(config), registry, readiness: () => readinessOf(options), logger });
  const name = 'operations';
  return {
    get port() {
      return ops.port;
    },
    opening: { name, start: () => ops.start() },
    closing: { name, stop: { name: 'close operations server', timeoutMs: promptMs, run: () => ops.stop() } },
  };
}

function readinessOf({
  broker,
  topology,
  register,
  shared,
  durability,
  watch,
  stopping,
}: OperationsOptions): Readiness {
  return {
    ready:
      !stopping.aborted && broker.connected && topology.usable && shared.complete && durability.shortfall === undefined,
    checks: {
      nats: broker.state,
      topology: topology.usable ? 'in place' : 'pending',
      // Does not affect readiness: the data is already lost, and new calls can be stored (ADR 42).
      streams: watch.state,
      intake: stopping.aborted ? 'closed' : 'open',
      register: shared.complete ? 'known' : 'pending',
      functions: String(register.list().length),
      durability: durability.current?.level ?? 'unknown',
    },
  };
}
