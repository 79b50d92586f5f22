import { ReceiptMemory, ReceiptStore } from '@asyncfn/queue-core/jetstream';
import { type Component, every, type Logger } from '@asyncfn/service-kit';
import type { BrokerLink } from '../broker/index.ts';
import { AcceptedCallSampler } from './accepted-call-sampler.ts';

export interface Receipts {
  readonly sampler: AcceptedCallSampler;
  readonly component: Component;
}

/** How often the receipts of what was accepted are handed over. */
const receiptsMs = 1_000;
/** For what should take no time at all. */
const promptMs = 5_000;

/** What workers need to find out which calls were in streams that are lost. */
export function createReceipts({ broker, topology, publisher, watch }: BrokerLink, logger: Logger): Receipts {
  const store = new ReceiptStore(publisher, topology);
  const sampler = new AcceptedCallSampler(store, logger);
  const memory = new ReceiptMemory(broker, watch, store);
  const onError = (err: unknown): void => logger.warn({ err }, 'how full the queues are cannot be read yet');
  const component: Component = {
    name: 'receipts',
    start(signal) {
      void every(receiptsMs, () => sampler.flush(), { signal, onError });
      void every(receiptsMs, () => (topology.ready ? memory.restore() : undefined), { signal, onError });
    },
    stop: { name: 'hand over receipts', timeoutMs: promptMs, run: () => sampler.flush() },
  };
  return { sampler, component };
}
