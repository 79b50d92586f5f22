import { pulseMs } from '@asyncfn/queue-core/jetstream';
import { every, sleep } from '@asyncfn/service-kit';
import type { WorkerParts } from './worker-parts.ts';

/** How often lanes are compared with what exists, in case an advisory got lost. */
const reconcileMs = 5_000;
/** Longest wait between two comparisons that are asked for. */
const maxRestMs = 1_000;
/** How often the work of busy lanes without a free slot is counted. */
const countMs = 500;
/** How often schedules are looked for that the broker has forgotten. */
const overdueMs = 10_000;
/** How often ends of calls are looked for that are to be forgotten: each worker at moments of its own. */
const pruneMs = 15_000;

/** What a worker does again and again, and whenever something has changed, until it stops. */
export function startRounds(parts: WorkerParts): void {
  const {
    topology,
    register,
    room,
    watch,
    reconciler,
    dispatcher,
    callbacks,
    expiries,
    overdue,
    pruner,
    audit,
    pulse,
    logger,
    stop,
  } = parts;
  const onError = (err: unknown): void => logger.warn({ err }, 'lanes could not be compared with the broker yet');
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
    // With 10,000 functions a round keeps the broker busy for a second: others get as much.
    await sleep(Math.min(maxRestMs, performance.now() - startedAt), stop.signal);
  });
  // Requests of an earlier connection are void. Lanes are compared when the register has been read.
  topology.onReady(() => dispatcher.restart());
  register.onChange(() => {
    refreshSoon();
    reconcileSoon();
  });
  void every(reconcileMs, reconcile, { signal: stop.signal, onError });
  void every(reconcileMs, () => watch.refresh(), { signal: stop.signal, onError });
  void every(countMs, () => (topology.ready ? reconciler.countUnknownBacklogs() : undefined), {
    signal: stop.signal,
    onError,
  });
  if (room !== undefined) {
    void every(countMs, () => room.refresh(), {
      signal: stop.signal,
      onError: (err) => logger.warn({ err }, 'how full the streams are cannot be read yet'),
    });
  }
  const restore = async (): Promise<void> => {
    const schedules = topology.ready ? await overdue.restore() : 0;
    if (schedules > 0) {
      logger.warn({ schedules }, 'schedules that the broker had forgotten are on their way again');
    }
  };
  void every(overdueMs, restore, {
    signal: stop.signal,
    onError: (err) => logger.warn({ err }, 'overdue schedules could not be looked for yet'),
  });
  const prune = async (): Promise<void> => {
    const { forgotten, kept } = topology.ready ? await pruner.prune() : { forgotten: 0, kept: 0 };
    if (forgotten + kept > 0) {
      logger.debug({ forgotten, kept }, 'ends of calls that are old are forgotten, but for those of calls in motion');
    }
  };
  void every(pruneMs * (0.75 + Math.random() / 2), prune, {
    signal: stop.signal,
    onError: (err) => logger.warn({ err }, 'ends of calls could not be forgotten yet'),
  });
  void every(pulseMs, () => pulse.beat(), { signal: stop.signal, onError });
  const ready = (): boolean => topology.ready;
  const wait = (ms: number): Promise<unknown> => sleep(ms, stop.signal);
  void callbacks.runStored(stop.signal, ready, wait);
  void audit.run(stop.signal, ready);
  void expiries.run(stop.signal, ready, wait);
}

/** Runs `work` when asked to; what is asked for while it runs is one more run after that, however often. */
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
