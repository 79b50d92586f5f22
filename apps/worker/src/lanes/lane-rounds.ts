import type { FunctionRegister } from '@asyncfn/queue-core/functions';
import { type QueueTopology, resumedByGatewayMs } from '@asyncfn/queue-core/jetstream';
import { every, type Logger, sleep } from '@asyncfn/service-kit';
import type { Dispatcher } from './dispatcher.ts';
import type { LaneReconciler } from './lane-reconciler.ts';

interface LaneRoundsOptions {
  readonly topology: Pick<QueueTopology, 'ready' | 'onReady'>;
  readonly register: Pick<FunctionRegister, 'onChange'>;
  readonly reconciler: Pick<LaneReconciler, 'refresh' | 'reconcile' | 'countUnknownBacklogs'>;
  readonly dispatcher: Pick<Dispatcher, 'restart'>;
  readonly logger: Logger;
}

/** How often lanes are reconciled, in case an advisory got lost. */
const reconcileMs = 5_000;
/** Longest pause after a reconciliation on request. */
const maxRestMs = 1_000;
/** After a change of the register, workers resume the consumers that its gateway has left paused. */
const settledMs = resumedByGatewayMs + 50;
/** How often the backlog of busy lanes without a free slot is counted. */
const countMs = 500;

/** Keeps the lanes in step with the register and the broker until the signal aborts. */
export function startLaneRounds(options: LaneRoundsOptions, signal: AbortSignal): void {
  const { topology, register, reconciler, dispatcher, logger } = options;
  const onError = (err: unknown): void => logger.warn({ err }, 'lanes could not be reconciled yet');
  const refreshSoon = coalesced(async () => {
    if (topology.ready) {
      await reconciler.refresh().catch(onError);
    }
  });
  const reconcile = async (): Promise<void> => {
    if (topology.ready) {
      await reconciler.reconcile();
    }
  };
  const reconcileSoon = coalesced(async () => {
    const startedAt = performance.now();
    await reconcile().catch(onError);
    // With 10,000 functions a round keeps the broker busy for a second: other clients get as much time.
    await sleep(Math.min(maxRestMs, performance.now() - startedAt), signal);
  });
  // Requests of an earlier connection are void. Lanes are compared when the register has been read.
  topology.onReady(() => dispatcher.restart());
  const reconcileOnceSettled = coalesced(async () => {
    await sleep(settledMs, signal);
    reconcileSoon();
  });
  register.onChange(() => {
    refreshSoon();
    reconcileSoon();
    reconcileOnceSettled();
  });
  void every(reconcileMs, reconcile, { signal, onError });
  void every(countMs, () => (topology.ready ? reconciler.countUnknownBacklogs() : undefined), { signal, onError });
}

/** Runs `work` on request; any number of requests while it runs lead to one more run. */
function coalesced(work: () => Promise<void>): () => void {
  let running = false;
  let wanted = false;
  const run = async (): Promise<void> => {
    running = true;
    while (wanted) {
      wanted = false;
      await work();
    }
    running = false;
  };
  return () => {
    wanted = true;
    if (!running) {
      void run();
    }
  };
}
