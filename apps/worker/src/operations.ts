import { type Component, createOpsServer, opsAddress, type Readiness } from '@asyncfn/service-kit';
import type { WorkContext } from './work-context.ts';

const stopMs = 5_000;

/** The operations server: health, readiness, metrics. */
export function createOperations(work: WorkContext): Component {
  const { config, registry, logger } = work;
  const ops = createOpsServer({ ...opsAddress(config), registry, readiness: () => readinessOf(work), logger });
  return {
    name: 'operations',
    start: () => ops.start(),
    stop: { name: 'close operations', timeoutMs: stopMs, run: () => ops.stop() },
  };
}

function readinessOf({ broker, topology, shared, watch, stopping }: WorkContext): Readiness {
  return {
    ready: !stopping.aborted && broker.connected && topology.ready && shared.complete,
    checks: {
      nats: broker.state,
      topology: topology.ready ? 'in place' : 'pending',
      streams: watch.state,
      register: shared.complete ? 'known' : 'pending',
      intake: stopping.aborted ? 'closed' : 'open',
    },
  };
}
