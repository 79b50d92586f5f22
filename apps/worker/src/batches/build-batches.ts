import { type BatchDelivery, type BatchNotice, BatchSource, BatchStore, LostEnds } from '@asyncfn/queue-core/jetstream';
import type { Callbacks } from '../callbacks/index.ts';
import { WorkLoop } from '../running/index.ts';
import type { WorkContext } from '../work-context.ts';
import { BatchEnder } from './batch-ender.ts';

/** Most notices in flight: those of a batch are dealt with together. */
const maxInFlight = 1_000;
/** A worker that dies holds up the end of a batch for this time. */
const leaseMs = 1_000;

/** Builds the components that end batches: for their states and for the marks of their calls. */
export function buildBatches(
  work: WorkContext,
  { deliverer }: Pick<Callbacks, 'deliverer'>,
): readonly WorkLoop<BatchNotice, BatchDelivery>[] {
  const { topology, publisher } = work;
  const batches = new BatchStore(publisher, topology);
  const ender = new BatchEnder({ ...work, batches, lost: new LostEnds({ ...work, batches }), deliverer });
  const build = (what: 'states' | 'marks') =>
    new WorkLoop<BatchNotice, BatchDelivery>(work, {
      name: `${what} of batches`,
      what: 'batch notice',
      source: new BatchSource({ topology, ackWaitMs: leaseMs }, what),
      room: (inFlight) => maxInFlight - inFlight,
      work: (delivery, notice) => ender.process(delivery, notice),
    });
  return [build('states'), build('marks')];
}
