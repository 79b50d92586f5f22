import type { QueueInspector, QueueTopology } from '@asyncfn/queue-core/jetstream';
import { type Component, every, type Logger } from '@asyncfn/service-kit';
import { QueueRates } from './queue-rates.ts';

interface MeasuredRates {
  readonly rates: QueueRates;
  readonly component: Component;
}

/** How often the queues are counted for their rates, in milliseconds. */
const countMs = 5_000;

/** The rates of all queues, and the component that measures them. */
export function measureRates(
  topology: Pick<QueueTopology, 'ready'>,
  inspector: Pick<QueueInspector, 'count'>,
  logger: Logger,
): MeasuredRates {
  const rates = new QueueRates();
  const count = async (): Promise<void> => {
    if (topology.ready) {
      rates.take(await inspector.count(), performance.now());
    }
  };
  const onError = (err: unknown): void => logger.warn({ err }, 'the sizes of the queues cannot be read yet');
  return {
    rates,
    component: { name: 'queue rates', start: (signal) => void every(countMs, count, { signal, onError }) },
  };
}
