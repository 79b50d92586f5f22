import type {
  AdmissionControl,
  QueueInspector,
  QueueTopology,
  ReceiptMemory,
  StreamRoom,
  StreamWatch,
} from '@asyncfn/queue-core/jetstream';
import { every, type Logger } from '@asyncfn/service-kit';
import type { AcceptedCallSampler } from './enqueue/index.ts';
import type { QueueRates } from './queues/index.ts';

export interface RoundsOptions {
  readonly topology: Pick<QueueTopology, 'ready' | 'onReady'>;
  readonly admission: AdmissionControl;
  /** Of streams that have limits; undefined where they have none. */
  readonly room: Pick<StreamRoom, 'refresh'> | undefined;
  readonly watch: Pick<StreamWatch, 'refresh'>;
  readonly inspector: Pick<QueueInspector, 'count'>;
  readonly rates: QueueRates;
  readonly receipts: Pick<AcceptedCallSampler, 'flush'>;
  readonly receiptMemory: Pick<ReceiptMemory, 'restore'>;
  readonly logger: Logger;
  readonly signal: AbortSignal;
}

/** How often it is asked how full the queues are that have a limit. */
const admissionMs = 500;
/** How often the gateway looks whether all streams are there. */
const watchMs = 5_000;
/** How often the queues are counted, for their rates. */
const countMs = 5_000;
/** How often the receipts of what was accepted are handed over. */
const receiptsMs = 1_000;

/** What a gateway does again and again until the signal aborts. */
export function startRounds(options: RoundsOptions): void {
  const { topology, admission, room, watch, inspector, rates, receipts, receiptMemory, logger, signal } = options;
  const onError = (err: unknown): void => logger.warn({ err }, 'how full the queues are cannot be read yet');
  topology.onReady(() => void admission.refresh().catch(onError));
  void every(admissionMs, () => admission.refresh(), { signal, onError });
  if (room !== undefined) {
    void every(admissionMs, () => room.refresh(), { signal, onError });
  }
  const count = async (): Promise<void> => {
    if (topology.ready) {
      rates.take(await inspector.count(), performance.now());
    }
  };
  void every(countMs, count, { signal, onError });
  void every(watchMs, () => watch.refresh(), { signal, onError });
  void every(receiptsMs, () => receipts.flush(), { signal, onError });
  void every(receiptsMs, () => (topology.ready ? receiptMemory.restore() : undefined), { signal, onError });
}
