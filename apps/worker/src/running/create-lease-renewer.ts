import type { Broker, Delivery } from '@asyncfn/queue-core/jetstream';
import { type Leased, LeaseRenewer } from './lease-renewer.ts';

/** A reconciler of leases that renews all of them as soon as the broker is back: no renewal got through meanwhile. */
export function createLeaseRenewer<D extends Leased = Delivery>(
  broker: Pick<Broker, 'onConnect'>,
  ackWaitMs: number,
): LeaseRenewer<D> {
  const leases = new LeaseRenewer<D>(ackWaitMs);
  broker.onConnect(() => leases.renew());
  return leases;
}
