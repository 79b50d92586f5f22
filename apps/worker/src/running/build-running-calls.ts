import { type Broker, type BrokerPulse, serveRunningCalls } from '@asyncfn/queue-core/jetstream';
import { RunningCalls } from './running-calls.ts';

interface RunningCallsOptions {
  readonly broker: Broker;
  readonly pulse: BrokerPulse;
  /** Aborts when calls in flight may run no longer. */
  readonly signal: AbortSignal;
}

/** The calls in flight, which receive cancel signals and answer requests for their state. */
export function buildRunningCalls({ broker, pulse, signal }: RunningCallsOptions): RunningCalls {
  const held = new RunningCalls(signal, { silentForMs: () => pulse.silentForMs });
  serveRunningCalls(broker, held);
  broker.onConnect(() => {
    if (broker.reconnects > 0) {
      held.noteOutage();
    }
  });
  return held;
}
