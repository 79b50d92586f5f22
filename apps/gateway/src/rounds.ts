import type {
  QueueGauge,
  QueueInspector,
  QueueTopology,
  ReceiptMemory,
  StreamRoom,
  StreamWatch,
} from '@asyncfn/queue-core/jetstream';
import { every, type Logger } from '@asyncfn/service-kit';
import type { ReceiptBook } from './enqueue/index.ts';
import type { QueueRates } from './queues/index.ts';

export interface RoundsOptions {
  readonly topology: Pick<QueueTopology, 'ready' | 'onReady'>;
  readonly gauge: QueueGauge;
  /** Of streams that have limits; undefined where they have none. */
  readonly room: Pick<StreamRoom, 'look'> | undefined;
  readonly watch: Pick<StreamWatch, 'look'>;
  readonly inspector: Pick<QueueInspector, 'count'>;
  readonly rates: QueueRates;
  readonly receipts: Pick<ReceiptBook, 'handOver'>;
  readonly receiptMemory: Pick<ReceiptMemory, 'restore'>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** How often it is asked how full the queues are that have a limit. */
const gaugeMs = 500;
/** How often the gateway looks whether all streams are there. */
const watchMs = 5_000;
/** How often the queues are counted, for their rates. */
const countMs = 5_000;
/** How often the receipts of what was accepted are handed over. */
const receiptsMs = 1_000;

/** What a gateway does again and again until the signal aborts. */
export function startRounds(options: RoundsOptions): void {
  const { topology, gauge, room, watch, inspector, rates, receipts, receiptMemory, logger, signal } = options;
  const onError = (err: unknown): void => logger.warn({ err }, 'how full the queues are cannot be read yet');
  topology.onReady(() => void gauge.look().catch(onError));
  void every(gaugeMs, () => gauge.look(), { signal, onError });
  if (room !== undefined) {
    void every(gaugeMs, () => room.look(), { signal, onError });
  }
  const count = async (): Promise<void> => {
    if (topology.ready) {
      rates.take(await inspector.count(), performance.now());
    }
  };
  void every(countMs, count, { signal, onError });
  void every(watchMs, () => watch.look(), { signal, onError });
  void every(receiptsMs, () => receipts.handOver(), { signal, onError });
  void every(receiptsMs, () => (topology.ready ? receiptMemory.restore() : undefined), { signal, onError });
}
