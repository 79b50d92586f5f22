import type { FunctionRegister } from '@asyncfn/queue-core/functions';
import {
  type Broker,
  CallSource,
  type Delivery,
  followCreatedLanes,
  followPausedLanes,
  type QueueTopology,
  type SharedRegister,
} from '@asyncfn/queue-core/jetstream';
import type { Component, Logger } from '@asyncfn/service-kit';
import { Dispatcher, type DispatcherOptions } from './dispatcher.ts';
import { LaneReconciler } from './lane-reconciler.ts';
import { startLaneRounds } from './lane-rounds.ts';
import { PauseGuard } from './pause-guard.ts';

export interface LanesOptions extends Pick<DispatcherOptions, 'slots' | 'run' | 'rates'> {
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly register: FunctionRegister;
  readonly shared: Pick<SharedRegister, 'current'>;
  /** The queues to serve; undefined is all. */
  readonly queues: readonly string[] | undefined;
  readonly logger: Logger;
  /** Returns a call to its queue without counting an attempt. */
  readonly handBack: (delivery: Delivery) => Promise<void>;
}

/** The components that bring calls from their queues to the worker. */
export interface Lanes {
  readonly source: CallSource;
  readonly dispatcher: Dispatcher;
  readonly component: Component;
}

const stopMs = 5_000;

/** Wires source, dispatcher and reconciler, which call each other. */
export function buildLanes({ slots, run, rates, handBack, shared, ...common }: LanesOptions): Lanes {
  const { broker, logger } = common;
  const pauses = new PauseGuard({ ...common, handBack });
  const source: CallSource = new CallSource(broker, {
    onDelivery: (delivery) => dispatcher.accept(delivery),
    onUnfilled: (lane) => dispatcher.unfilled(lane),
    onLaneGone: ({ queue, function: name }) => {
      reconciler
        .restore({ queue, function: name })
        .catch((err: unknown) => logger.warn({ err, queue, function: name }, 'lane could not be restored yet'));
    },
  });
  const dispatcher = new Dispatcher(source, {
    slots,
    run,
    rates,
    handBack: (delivery) => void handBack(delivery),
    holdBack: (delivery) => void pauses.hold(delivery),
  });
  const reconciler = new LaneReconciler({
    ...common,
    dispatcher,
    isCurrent: () => shared.current,
    onRemoved: (lane) => source.forget(lane),
    onLoosened: (lane) => source.wake(lane),
  });
  followCreatedLanes(broker, (lane, createdAt) => reconciler.created(lane, createdAt));
  followPausedLanes(broker, (lane) => reconciler.pauseChanged(lane));
  const component: Component = {
    name: 'lanes',
    start: (signal) => startLaneRounds({ ...common, reconciler, dispatcher }, signal),
    stop: {
      name: 'close intake',
      timeoutMs: stopMs,
      run: () => {
        dispatcher.stop();
        return source.stop();
      },
    },
  };
  return { source, dispatcher, component };
}
