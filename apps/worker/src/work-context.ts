import { setMaxListeners } from 'node:events';
import { hostname } from 'node:os';
import type { FileDefinition } from '@asyncfn/queue-core/functions';
import { BacklogReader, CallStore, createGroupCommit } from '@asyncfn/queue-core/jetstream';
import {
  createRegistry,
  type Logger,
  type ProcessContext,
  type SettingsFile,
  type Tracing,
} from '@asyncfn/service-kit';
import type { Tracer } from '@opentelemetry/api';
import type { Registry } from 'prom-client';
import { type BrokerLink, connectBroker } from './broker/index.ts';
import type { WorkerConfig } from './config.ts';
import { createCachedBacklog } from './lanes/index.ts';
import { type Budgets, createBudgets } from './memory/index.ts';
import { createMetrics, type WorkerMetrics, type WorkerMetricsSources } from './metrics.ts';
import { startReporting } from './reporting/index.ts';
import type { OnSettleStep, PublishRetryOptions } from './storing/index.ts';

/** Seams for tests. */
export interface WorkerOverrides {
  /** Called at each step of settling a call. Default: not called. */
  readonly onSettleStep?: OnSettleStep;
  /** Unix time in milliseconds. Default: by the broker's clock. */
  readonly now?: () => number;
  /** Monotonic clock in milliseconds. Default: that of the process. */
  readonly monotonicNow?: () => number;
  /** Gives numbers from 0 to 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** The dependencies of everything that works on calls. */
export interface WorkContext extends BrokerLink {
  readonly config: WorkerConfig;
  readonly logger: Logger;
  readonly metrics: WorkerMetrics;
  readonly budgets: Budgets;
  /** Stores what follows an attempt. */
  readonly calls: CallStore;
  /** Undefined if tracing is off. */
  readonly tracer: Tracer | undefined;
  readonly userAgent: string;
  /** Who made an attempt: `HOST:PID`. */
  readonly worker: string;
  readonly publishRetry: PublishRetryOptions;
  readonly onStep: OnSettleStep;
  /** Unix time in milliseconds, by the broker's clock. */
  readonly now: () => number;
  /** Monotonic clock in milliseconds. Default: that of the process. */
  readonly monotonicNow?: () => number;
  /** Gives numbers from 0 to 1. */
  readonly random: () => number;
  readonly registry: Registry;
  /** Aborts when the worker stops: calls that have not begun go back to the queue. */
  readonly stopping: AbortSignal;
  /** Aborts when work in flight may no longer run. */
  readonly signal: AbortSignal;
}

export interface WorkContextOptions {
  readonly config: WorkerConfig;
  readonly context: Pick<ProcessContext, 'logger' | 'version' | 'pid' | 'fail'>;
  readonly overrides?: WorkerOverrides;
  readonly file: Pick<SettingsFile<FileDefinition>, 'current'> | undefined;
  readonly tracing: Pick<Tracing, 'tracer'>;
  /** The open lanes, for metrics. Called at each scrape. */
  readonly lanes: WorkerMetricsSources['lanes'];
  readonly stopping: AbortSignal;
  /** Aborts when work in flight may no longer run. */
  readonly cutShort: AbortSignal;
}

/** Every attempt is stored with it. */
const maxHostLength = 63;

export function createWorkContext(options: WorkContextOptions): WorkContext {
  const { config, context, overrides = {}, file, tracing, lanes, stopping, cutShort: signal } = options;
  const { logger, version, pid } = context;
  // One listener for each call in flight: Node would report more than ten as a leak.
  setMaxListeners(0, signal);
  const link = connectBroker(config, context, file?.current);
  const { broker, topology, publisher } = link;
  const now = overrides.now ?? broker.clock.now;
  const budgets = createBudgets(config.maxInflightBytes);
  const registry = createRegistry();
  const worker = `${hostname().slice(0, maxHostLength)}:${pid}`;
  const declaredSyncAlways = config.natsSync === 'always';
  const outcomes = createGroupCommit({ ...link, mode: config.groupCommit, declaredSyncAlways, logger });
  return {
    ...link,
    config,
    logger,
    registry,
    metrics: startReporting(
      { broker, id: worker, version, slots: config.maxInflight, lanes, resolve: (name) => link.register.resolve(name) },
      buildMetrics({ ...link, config, logger, registry, budgets, lanes, now }),
    ),
    budgets,
    calls: new CallStore(publisher, topology, outcomes, link.events),
    tracer: tracing.tracer,
    userAgent: `asyncfn-worker/${version}`,
    worker,
    publishRetry: { connected: () => broker.connected, signal },
    onStep: overrides.onSettleStep ?? (() => {}),
    now,
    random: overrides.random ?? Math.random,
    ...(overrides.monotonicNow !== undefined && { monotonicNow: overrides.monotonicNow }),
    stopping,
    signal,
  };
}

type MetricsParts = Pick<WorkContext, 'register' | 'broker' | 'topology' | 'watch' | 'config' | 'logger'> &
  Pick<WorkerMetricsSources, 'registry' | 'budgets' | 'lanes' | 'now'>;

function buildMetrics({ register, broker, topology, watch, config, logger, ...sources }: MetricsParts): WorkerMetrics {
  return createMetrics({
    ...sources,
    slots: config.maxInflight,
    isRegistered: (name) => register.isRegistered(name),
    resolve: (name) => register.resolve(name),
    backlog: createCachedBacklog({ reader: new BacklogReader(topology), queues: config.queues, logger }),
    reconnects: () => broker.reconnects,
    connected: () => broker.connected,
    streamsLost: () => watch.lost,
  });
}
