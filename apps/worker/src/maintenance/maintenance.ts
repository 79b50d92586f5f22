import {
  BatchRetention,
  BatchStore,
  BodySweeper,
  LostMoments,
  OutcomePruner,
  OverdueSchedules,
  ScheduleStore,
} from '@asyncfn/queue-core/jetstream';
import { type Component, every, type Logger } from '@asyncfn/service-kit';
import type { WorkContext } from '../work-context.ts';
import { sweepFlows } from './sweep-flows.ts';

/** How often the worker looks for schedules that the broker has forgotten. */
const overdueMs = 10_000;
/** How often the worker looks for schedules without a next moment. */
const momentsMs = 60_000;
/** How often the worker removes old outcomes; each worker at its own moments. */
const pruneMs = 15_000;

export function createMaintenance(
  work: Pick<WorkContext, 'broker' | 'topology' | 'publisher' | 'register' | 'bodies' | 'flows' | 'config'>,
  logger: Logger,
): Component {
  const { topology, publisher, config } = work;
  const overdue = new OverdueSchedules(publisher, topology);
  const batches = new BatchStore(publisher, topology);
  const pruner = new OutcomePruner({ ...work, batches: () => new BatchRetention(batches) });
  const restore = async (): Promise<void> => {
    const schedules = topology.ready ? await overdue.restore() : 0;
    if (schedules > 0) {
      logger.warn({ schedules }, 'schedules that the broker had forgotten are stored again');
    }
  };
  const moments = new LostMoments(new ScheduleStore(publisher, topology));
  const restoreMoments = async (): Promise<void> => {
    const schedules = topology.ready ? await moments.restore(work.broker.clock.now()) : 0;
    if (schedules > 0) {
      logger.warn({ schedules }, 'schedules had no next moment, and go on with the first one from now');
    }
  };
  const prune = async (): Promise<void> => {
    const { forgotten, kept } = topology.ready ? await pruner.prune() : { forgotten: 0, kept: 0 };
    if (forgotten + kept > 0) {
      logger.debug({ forgotten, kept }, 'old outcomes are removed, except those of active calls');
    }
  };
  const sweeper = new BodySweeper({ ...work, graceMs: config.bodySweepAfterMs / 2 });
  const sweep = async (): Promise<void> => {
    const { removed, kept } = topology.ready ? await sweeper.sweep() : { removed: 0, kept: 0 };
    if (removed > 0) {
      logger.info({ removed, kept }, 'large bodies that nothing needs are removed');
    }
  };
  return {
    name: 'maintenance',
    start(signal) {
      void every(overdueMs, restore, {
        signal,
        onError: (err) => logger.warn({ err }, 'overdue schedules could not be restored yet'),
      });
      void every(momentsMs, restoreMoments, {
        signal,
        onError: (err) => logger.warn({ err }, 'schedules without a next moment could not be looked for yet'),
      });
      sweepFlows(work, logger, signal);
      void every(pruneMs * (0.75 + Math.random() / 2), prune, {
        signal,
        onError: (err) => logger.warn({ err }, 'old outcomes could not be removed yet'),
      });
      void every((config.bodySweepAfterMs / 4) * (0.75 + Math.random() / 4), sweep, {
        signal,
        onError: (err) => logger.warn({ err }, 'large bodies that nothing needs could not be removed yet'),
      });
    },
  };
}
