import type { DeadLetterReason } from '@asyncfn/queue-core';
import type { Backlog, CallWhereabouts } from '@asyncfn/queue-core/jetstream';
import type { RetryReason } from '@asyncfn/queue-core/settle';
import { createBoundedLabel, TallyCounter, TallyHistogram } from '@asyncfn/service-kit';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { AttemptResult } from './invoke/index.ts';
import type { Budgets } from './memory/index.ts';

/** The audit's finding about an accepted call. `unknown`: the look came so late that its outcome may be forgotten. */
export type AuditFinding = CallWhereabouts | 'unknown';

/** How a delivery of a callback went. */
type CallbackStatus = 'delivered' | 'gone' | 'retry' | 'undeliverable';

/**
 * `known`: it was stored before a crash or a lost lease. `cancelled`: it was cancelled before it was stored. `waiting`:
 * its queue did not take it, and it is tried again.
 */
type ChainStepResult = 'stored' | 'known' | 'cancelled' | 'waiting';

interface LaneLabels {
  readonly queue: string;
  readonly function: string;
}

interface ObservedLane extends LaneLabels {
  readonly inFlight: number;
  readonly slotsHeld: number;
  readonly gate: { readonly limit?: number | undefined };
  readonly share?: { readonly held: number; readonly waiting: number } | undefined;
}

export interface WorkerMetricsSources {
  readonly registry: Registry;
  /** Most calls that the worker takes, and one more for each function with none in flight. */
  readonly slots: number;
  /** Whether a function is in the register: then its name is always a label. */
  readonly isRegistered: (name: string) => boolean;
  /** The one name of a function, which is its label under whichever name its calls were stored. Default: unchanged. */
  readonly resolve?: (name: string) => string;
  /** Called at each scrape. */
  readonly lanes: () => Iterable<ObservedLane>;
  /** Read at each scrape. */
  readonly budgets: Budgets;
  /** Called several times at each scrape; undefined while the broker does not answer. */
  readonly backlog: () => Promise<Backlog | undefined>;
  /** Called at each scrape. */
  readonly reconnects: () => number;
  /** Called at each scrape. */
  readonly connected: () => boolean;
  /** Streams lost so far. Called at each scrape. */
  readonly streamsLost: () => number;
  /** Unix time in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** Every instrument of the worker. OpenFaaS's names where they exist, so that its dashboards work. */
export interface WorkerMetrics {
  /** @param waitedMs since the call was stored as ready */
  attemptStarted(labels: LaneLabels, waitedMs: number): void;
  /** `result` is undefined for an attempt that a stop has cut short. */
  attemptEnded(labels: LaneLabels, result: AttemptResult | undefined): void;
  /** A call has left the queue. */
  processed(queue: string): void;
  /** A call will be retried. */
  retried(labels: LaneLabels, reason: RetryReason): void;
  /** A retry could not be stored, so that the call went back to the queue with a delay. */
  retryDeferred(labels: LaneLabels): void;
  /** A call has ended. */
  ended(labels: LaneLabels, status: string): void;
  /** The end of a call could not be recorded. */
  outcomeLost(labels: LaneLabels): void;
  deadLetter(labels: LaneLabels, reason: DeadLetterReason): void;
  /** The audit of an accepted call has ended. */
  audited(finding: AuditFinding): void;
  /** The next call of a chain was handed on, or could not be. */
  chainStep(labels: LaneLabels, result: ChainStepResult): void;
  /** A batch has ended: all of its calls have succeeded, or not. */
  batchEnded(result: 'succeeded' | 'mixed'): void;
  /** What became of moments of schedules; `failed`: the function is not registered, or the call cannot be stored. */
  moments(result: 'fired' | 'skipped' | 'missed' | 'failed', count: number): void;
  /** A delivery of a callback has been tried. */
  callback(status: CallbackStatus): void;
}

const lane = ['queue_name', 'function_name'] as const;

/** Of durations, in seconds. */
const buckets = [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200];

/** Up to this many functions that exist only by `defaults.url` have labels; the rest share `other`. */
const maxFunctionLabels = 1000;

export function createMetrics(sources: WorkerMetricsSources): WorkerMetrics {
  const toLabel = createToLabel(sources);
  const toLabels: ToLabels = (of) => ({ queue_name: of.queue, function_name: toLabel(of) });
  observeLanes(sources, toLabels);
  observeBacklog(sources, toLabels);
  observeConnection(sources);
  observeMemory(sources);
  const registers = [sources.registry];
  const processed = new TallyCounter(['queue_name'], {
    name: 'queue_worker_messages_processed_total',
    help: 'Calls that this worker has removed from the queue.',
    registers,
  });
  const attempts = new TallyCounter([...lane, 'code'], {
    name: 'queue_worker_attempts_total',
    help: 'Invocations of functions, by the status that they ended with; 503 if the function could not be reached, 504 at its deadline.',
    registers,
  });
  const durations = new TallyHistogram(lane, {
    name: 'queue_worker_attempt_duration_seconds',
    help: 'From the request to a function to the end of its response.',
    buckets,
    registers,
  });
  const waits = new TallyHistogram(lane, {
    name: 'queue_worker_queue_wait_seconds',
    help: 'From the moment a call was ready to its invocation.',
    buckets,
    registers,
  });
  const ended = new TallyCounter([...lane, 'status'], {
    name: 'queue_worker_calls_ended_total',
    help: 'Calls that have ended, by their status.',
    registers,
  });
  const counters = createCounters(registers);
  return {
    attemptStarted: (of, waitedMs) => waits.observe(Math.max(0, waitedMs) / 1000, of.queue, toLabel(of)),
    attemptEnded(of, result) {
      if (result !== undefined) {
        attempts.inc(of.queue, toLabel(of), String(result.status));
        durations.observe(result.durationMs / 1000, of.queue, toLabel(of));
      }
    },
    processed: (queue) => processed.inc(queue),
    retried: (of, reason) => counters.retries.inc({ ...toLabels(of), reason }),
    retryDeferred: (of) => counters.deferred.inc(toLabels(of)),
    ended: (of, status) => ended.inc(of.queue, toLabel(of), status),
    outcomeLost: (of) => counters.outcomesLost.inc(toLabels(of)),
    deadLetter: (of, reason) => counters.deadLetters.inc({ ...toLabels(of), reason }),
    audited: (finding) => counters.audited.inc({ finding }),
    chainStep: (of, result) => counters.chainSteps.inc({ ...toLabels(of), result }),
    batchEnded: (result) => counters.batchesEnded.inc({ result }),
    moments: (result, count) => counters.moments.inc({ result }, count),
    callback: (status) => counters.callbacks.inc({ status }),
  };
}

/** Counters of what follows an attempt. */
function createCounters(registers: Registry[]) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter<L>({ name, help, labelNames, registers });
  return {
    retries: counter('queue_worker_retries_total', 'Calls that will be tried again, by the reason.', [
      ...lane,
      'reason',
    ]),
    deferred: counter(
      'queue_worker_retries_deferred_total',
      'Retries that the broker could not store, so that the call went back to the queue with a delay.',
      lane,
    ),
    outcomesLost: counter('queue_worker_outcomes_lost_total', 'Ends of calls that could not be recorded.', lane),
    deadLetters: counter('queue_worker_dead_letters_total', 'Dead letters that were stored, by the reason.', [
      ...lane,
      'reason',
    ]),
    audited: counter('queue_worker_calls_audited_total', 'Accepted calls that were audited, by the finding.', [
      'finding',
    ]),
    chainSteps: counter('queue_worker_chain_steps_total', 'Steps that chains have handed on, by the result.', [
      ...lane,
      'result',
    ]),
    batchesEnded: counter('queue_worker_batches_ended_total', 'Batches that have ended: all calls succeeded, or not.', [
      'result',
    ]),
    moments: counter('queue_worker_schedule_moments_total', 'Moments of schedules, by what became of them.', [
      'result',
    ]),
    callbacks: counter('queue_worker_callbacks_total', 'Deliveries of callbacks, by what followed.', ['status']),
  };
}

type ToLabels = (of: LaneLabels) => { queue_name: string; function_name: string };

/** The label of a lane's function. */
function createToLabel({ isRegistered, resolve = (name) => name }: WorkerMetricsSources): (of: LaneLabels) => string {
  const toLabel = createBoundedLabel(maxFunctionLabels, isRegistered);
  return ({ function: name }) => toLabel(resolve(name));
}

/** Shows the calls in flight at the time of a scrape. */
function observeLanes({ registry, slots, lanes }: WorkerMetricsSources, toLabels: ToLabels): void {
  const registers = [registry];
  new Gauge({
    name: 'queue_worker_slots',
    help: 'Most calls that this worker takes at once, its MAX_INFLIGHT; a function with none in flight has one more.',
    registers,
  }).set(slots);
  const gauge = (name: string, help: string, read: (each: ObservedLane) => number | undefined) =>
    new Gauge({
      name,
      help,
      labelNames: lane,
      registers,
      collect() {
        this.reset();
        for (const each of lanes()) {
          const value = read(each);
          if (value !== undefined) {
            this.inc(toLabels(each), value);
          }
        }
      },
    });
  gauge(
    'queue_worker_function_invocation_inflight',
    'Calls that this worker has in flight.',
    ({ inFlight }) => inFlight,
  );
  gauge(
    'queue_worker_slots_held',
    'Slots that the function holds in this worker: calls in flight, and requested ones that may still come.',
    ({ slotsHeld }) => slotsHeld,
  );
  gauge(
    'queue_worker_concurrency_limit',
    'Most calls that this worker sends at once, learned from rejections; functions without adaptive concurrency have none.',
    ({ gate }) => gate.limit,
  );
  gauge(
    'queue_worker_rate_starts_held',
    'Part of the rate of the function that this worker holds: so many attempts in a period. Functions without a rate have none.',
    ({ share }) => share?.held,
  );
  gauge(
    'queue_worker_rate_waiting',
    'Calls that this worker would begin now if the rate of their function allowed it.',
    ({ share }) => share?.waiting,
  );
}

/**
 * Shows the backlog at the time of a scrape. Every worker reports the same, so aggregate with the maximum, not the sum.
 */
function observeBacklog({ registry, backlog, now = Date.now }: WorkerMetricsSources, toLabels: ToLabels): void {
  const gauge = createBacklogGauges(registry, backlog);
  gauge('queue_worker_pending_messages', 'Calls that are ready and wait', lane, (own, { lanes }) => {
    for (const each of lanes) {
      own.inc(toLabels(each), each.pending);
    }
  });
  gauge(
    'queue_worker_oldest_message_age_seconds',
    'How long the oldest waiting call has been ready, 0 if none waits',
    lane,
    (own, { lanes }) => {
      for (const [labels, seconds] of oldestAges(lanes, toLabels, now())) {
        own.set(labels, seconds);
      }
    },
  );
  for (const [name, help, count] of ofQueues) {
    gauge(name, help, ['queue_name'], (own, found) => {
      for (const [queue, value] of count(found)) {
        if (value !== undefined) {
          own.set({ queue_name: queue }, value);
        }
      }
    });
  }
  gauge('queue_worker_callbacks_waiting', 'Callbacks that failed and will be tried again', [], (own, found) =>
    own.set(found.callbacks),
  );
  gauge(
    'queue_worker_conservation_drift',
    'Accepted calls that were found to be neither waiting, scheduled, in flight nor ended; anything but 0 breaks a promise',
    [],
    (own, found) => own.set(found.missing),
  );
  gauge('queue_worker_batches_open', 'Batches that have not ended', [], (own, found) => own.set(found.batches));
  gauge('queue_worker_dead_letters_kept', 'Dead letters that are kept', [], (own, found) => own.set(found.deadLetters));
}

/** Creates gauges that show one count of the broker. */
function createBacklogGauges(registry: Registry, backlog: WorkerMetricsSources['backlog']) {
  return <L extends string>(
    name: string,
    help: string,
    labelNames: readonly L[],
    show: (gauge: Gauge<L>, found: Backlog) => void,
  ): void => {
    new Gauge<L>({
      name,
      help: `${help}, as the broker counts: the same in every worker, to be aggregated with max.`,
      labelNames,
      registers: [registry],
      async collect() {
        const found = await backlog();
        this.reset();
        if (found !== undefined) {
          show(this, found);
        } else if (labelNames.length === 0) {
          this.remove(); // unknown is not zero
        }
      },
    });
  };
}

type QueueCounts = readonly (readonly [queue: string, count: number | undefined])[];

/** What is counted for each queue. */
const ofQueues: readonly (readonly [name: string, help: string, count: (found: Backlog) => QueueCounts])[] = [
  [
    'queue_worker_scheduled_messages',
    'Calls that are not due yet: delayed ones and retries',
    ({ scheduled }) => scheduled.map(({ queue, count }) => [queue, count]),
  ],
  [
    'queue_worker_flow_keys',
    'Flow keys that have calls, or are paused or pinned',
    ({ flows }) => flows.map(({ queue, keys }) => [queue, keys]),
  ],
  [
    'queue_worker_flow_waiting_messages',
    'Calls that wait for the turn of their flow key',
    ({ flows }) => flows.map(({ queue, waiting }) => [queue, waiting]),
  ],
  [
    'queue_worker_consumers',
    'Consumers of the queue: one for each function, and one of its own',
    ({ consumers }) => consumers.map(({ queue, count }) => [queue, count]),
  ],
  [
    'queue_worker_consumers_limit',
    'Consumers that the queue may have; no series if NATS sets no limit',
    ({ consumers }) => consumers.map(({ queue, limit }) => [queue, limit]),
  ],
];

type LaneLabelValues = ReturnType<ToLabels>;

/** Functions that share a label show the oldest of all. */
function oldestAges(
  lanes: Backlog['lanes'],
  toLabels: ToLabels,
  nowMs: number,
): Iterable<readonly [LaneLabelValues, number]> {
  const ages = new Map<string, readonly [LaneLabelValues, number]>();
  for (const each of lanes) {
    const labels = toLabels(each);
    const key = `${labels.queue_name}/${labels.function_name}`;
    const seconds = each.oldestAtMs === undefined ? 0 : Math.max(0, nowMs - each.oldestAtMs) / 1000;
    ages.set(key, [labels, Math.max(seconds, ages.get(key)?.[1] ?? 0)]);
  }
  return ages.values();
}

function observeConnection({ registry, reconnects, connected, streamsLost }: WorkerMetricsSources): void {
  const registers = [registry];
  new Gauge({
    name: 'queue_worker_nats_connected',
    help: '1 while NATS is connected and answers, else 0.',
    registers,
    collect() {
      this.set(connected() ? 1 : 0);
    },
  });
  const counter = (name: string, help: string, read: () => number) =>
    new Counter({
      name,
      help,
      registers,
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  counter('queue_worker_nats_reconnect_total', 'How often the connection to NATS was re-established.', reconnects);
  counter(
    'queue_worker_streams_lost_total',
    'Streams that this worker has known and that the broker has lost, with what they held.',
    streamsLost,
  );
}

function observeMemory({ registry, budgets }: WorkerMetricsSources): void {
  new Gauge({
    name: 'queue_worker_inflight_bytes',
    help: 'Bytes that the worker holds for call bodies, results and callbacks larger than 16 KiB: see MAX_INFLIGHT_BYTES.',
    labelNames: ['kind'],
    registers: [registry],
    collect() {
      for (const [kind, { usedBytes }] of Object.entries(budgets)) {
        this.set({ kind }, usedBytes);
      }
    },
  });
}
