import { ExpirySource, ExpiryStore } from '@asyncfn/queue-core/jetstream';
import { type Component, sleep } from '@asyncfn/service-kit';
import type { CallbackDeliverer } from '../callbacks/index.ts';
import { nakTimer, Settler } from '../settle/index.ts';
import type { WorkContext } from '../work-context.ts';
import { ExpiryProcessor } from './expiry-processor.ts';

/** Builds the component that ends calls which have not begun in time. */
export interface Expiries {
  readonly processor: ExpiryProcessor;
  readonly store: ExpiryStore;
  readonly component: Component;
}

export function buildExpiries(work: WorkContext, callbacks: CallbackDeliverer): Expiries {
  const { config, topology, publisher, calls, budgets, now } = work;
  const store = new ExpiryStore(publisher, topology, now);
  const processor = new ExpiryProcessor({
    ...work,
    source: new ExpirySource({ topology, ackWaitMs: config.ackWaitMs }),
    expiries: store,
    bodies: budgets.bodies,
    settler: new Settler({ ...work, store: calls, callbacks, handBack: nakTimer }),
    ackWaitMs: config.ackWaitMs,
  });
  const run = (signal: AbortSignal): Promise<void> =>
    processor.run(
      signal,
      () => topology.ready,
      (ms) => sleep(ms, signal),
    );
  return { processor, store, component: { name: 'expiries', start: (signal) => void run(signal) } };
}
