import { type BatchDelivery, type BatchNotice, BatchSource, BatchStore, LostEnds } from '@asyncfn/queue-core/jetstream';
import type { Callbacks } from '../callbacks/index.ts';
import { WorkLoop } from '../running/index.ts';
import type { WorkContext } from '../work-context.ts';
import { BatchEnder } from './batch-ender.ts';

/** Most notices in flight: those of a batch are dealt with together. */
const maxInFlight = 1_000;
/** A worker that dies holds up the end of a batch for this time. */
const leaseMs = 1_000;

/** Builds the component that ends batches. */
export function buildBatches(
  work: WorkContext,
  { deliverer }: Pick<Callbacks, 'deliverer'>,
): WorkLoop<BatchNotice, BatchDelivery> {
  const { topology, publisher } = work;
  const batches = new BatchStore(publisher, topology);
  const ender = new BatchEnder({ ...work, batches, lost: new LostEnds({ ...work, batches }), deliverer });
  return new WorkLoop<BatchNotice, BatchDelivery>(work, {
    name: 'batches',
    what: 'notice of a batch',
    source: new BatchSource({ topology, ackWaitMs: leaseMs }),
    room: (inFlight) => maxInFlight - inFlight,
    work: (delivery, notice) => ender.process(delivery, notice),
  });
}
