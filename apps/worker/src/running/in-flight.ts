import { type Component, type Logger, sleep } from '@asyncfn/service-kit';

/** Deliveries in flight, each with a lease. */
interface HeldWork<D> {
  deliveries(): D[];
}

export interface InFlightOptions<D> {
  /** Those of calls. */
  readonly leases: HeldWork<D>;
  /** Resolves when no call, no callback and no expiry is in flight. */
  readonly whenIdle: () => Promise<void>;
  /** Returns a call to its queue without counting an attempt. */
  readonly handBack: (delivery: D) => Promise<void>;
  /** Aborted when what is in flight may run no longer. */
  readonly cutShort: AbortController;
  /** How long a stop waits for what is in flight. */
  readonly shutdownTimeoutMs: number;
  readonly logger: Logger;
}

/** Time for the last messages to the broker. */
const brokerMs = 5_000;

/**
 * The work in flight, as a stop sees it: nothing is lost and nothing doubled (P8). Once no more calls come, those in flight
 * finish; what is left when the time is up goes back to the queue.
 */
export function createInFlight<D extends { readonly settled: boolean }>(options: InFlightOptions<D>): Component {
  return {
    name: 'calls in flight',
    drain: {
      name: 'finish calls',
      timeoutMs: brokerMs + options.shutdownTimeoutMs,
      run: () => finishCalls(options),
    },
    stop: { name: 'hand back calls', timeoutMs: brokerMs, run: () => handBackCalls(options) },
  };
}

/** Waits for the calls in flight, but no longer than the set time: that some are left is no failure. */
async function finishCalls<D>({ leases, whenIdle, shutdownTimeoutMs, logger }: InFlightOptions<D>): Promise<void> {
  const idle = new AbortController();
  await Promise.race([whenIdle(), sleep(shutdownTimeoutMs, idle.signal)]);
  idle.abort();
  const calls = leases.deliveries().length;
  if (calls > 0) {
    logger.warn({ calls, timeoutMs: shutdownTimeoutMs }, 'calls are still running and go back to the queue');
  }
}

/** Aborts what is still running, and hands back what is not settled. */
async function handBackCalls<D extends { readonly settled: boolean }>(options: InFlightOptions<D>): Promise<void> {
  const { leases, cutShort, whenIdle, handBack } = options;
  const held = leases.deliveries();
  cutShort.abort();
  await whenIdle();
  await Promise.all(held.filter((delivery) => !delivery.settled).map((delivery) => handBack(delivery)));
}
