import { type CallSource, pulseMs } from '@asyncfn/queue-core/jetstream';
import { type Component, every, type Logger } from '@asyncfn/service-kit';
import type { HttpAgent } from '../http/index.ts';
import type { BrokerLink } from './connect-broker.ts';

export interface ConnectionsOptions
  extends Pick<BrokerLink, 'broker' | 'bodyConnection' | 'pulse' | 'publisher' | 'room' | 'watch' | 'events'> {
  readonly logger: Logger;
  /** Sends the pending acknowledgements. */
  readonly source: Pick<CallSource, 'flush'>;
  /** They renew nothing once the connections are closed. */
  readonly leases: readonly { stop(): void }[];
  /** Those to functions and to receivers of callbacks. */
  readonly agents: readonly Pick<HttpAgent, 'destroy'>[];
}

/** How often the worker checks that all streams exist. */
const watchMs = 5_000;
/** How often the worker reads the size of the streams. */
const roomMs = 500;
const stopMs = 5_000;

/** The connections of a worker: to the broker, to functions, to receivers of callbacks. */
export function createConnections(options: ConnectionsOptions): Component {
  return {
    name: 'connections',
    start(signal) {
      options.broker.start();
      startWatching(options, signal);
    },
    stop: { name: 'close connections', timeoutMs: stopMs, run: () => close(options) },
  };
}

function startWatching({ watch, room, pulse, logger }: ConnectionsOptions, signal: AbortSignal): void {
  const onError = (err: unknown): void => logger.warn({ err }, 'lanes could not be reconciled yet');
  void every(watchMs, () => watch.refresh(), { signal, onError });
  void every(pulseMs, () => pulse.beat(), { signal, onError });
  if (room !== undefined) {
    void every(roomMs, () => room.refresh(), {
      signal,
      onError: (err) => logger.warn({ err }, 'the size of the streams cannot be read yet'),
    });
  }
}

async function close({
  leases,
  source,
  publisher,
  events,
  broker,
  bodyConnection,
  agents,
}: ConnectionsOptions): Promise<void> {
  for (const each of leases) {
    each.stop();
  }
  source.flush();
  await publisher.flush();
  events.flush();
  await Promise.all([broker.stop(), bodyConnection.stop()]);
  await Promise.all(agents.map((agent) => agent.destroy()));
}
