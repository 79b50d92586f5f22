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
/** Time limit of steps that should be instant. */
const promptMs = 5_000;

/** Stores receipts, with which workers find the calls of lost streams. */
export function createReceipts({ broker, topology, publisher, watch }: BrokerLink, logger: Logger): Receipts {
  const store = new ReceiptStore(publisher, topology);
  const sampler = new AcceptedCallSampler(store, logger, { now: broker.clock.now });
  const memory = new ReceiptMemory(broker, watch, store, broker.clock.now);
  const onError = (err: unknown): void => logger.warn({ err }, 'receipts cannot be stored yet');
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
