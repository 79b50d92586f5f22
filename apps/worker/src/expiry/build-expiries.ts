import type { ExpiryTimer } from '@asyncfn/queue-core';
import { type ExpiryDelivery, ExpirySource, ExpiryStore } from '@asyncfn/queue-core/jetstream';
import type { Callbacks } from '../callbacks/index.ts';
import { WorkLoop } from '../running/index.ts';
import { nakTimer, Settler } from '../settle/index.ts';
import type { WorkContext } from '../work-context.ts';
import { ExpiryProcessor } from './expiry-processor.ts';

/** Builds the component that ends calls which have not begun in time. */
export interface Expiries {
  readonly store: ExpiryStore;
  readonly loop: WorkLoop<ExpiryTimer, ExpiryDelivery>;
}

/** Most expiry timers in flight. */
const maxInFlight = 64;

export function buildExpiries(
  work: WorkContext,
  { deliverer, handOn }: Pick<Callbacks, 'deliverer' | 'handOn'>,
): Expiries {
  const { config, topology, publisher, calls, budgets, now } = work;
  const store = new ExpiryStore(publisher, topology, now);
  const processor = new ExpiryProcessor({
    ...work,
    expiries: store,
    bodies: budgets.bodies,
    // The processor ends the turn, once the call has left its queue.
    settler: new Settler({ ...work, flows: undefined, store: calls, callbacks: deliverer, handOn, handBack: nakTimer }),
  });
  const loop = new WorkLoop<ExpiryTimer, ExpiryDelivery>(work, {
    name: 'expiries',
    what: 'expiry timer',
    source: new ExpirySource({ topology, ackWaitMs: config.ackWaitMs }),
    room: (inFlight) => maxInFlight - inFlight,
    work: (delivery, timer) => processor.process(delivery, timer),
  });
  return { store, loop };
}
