import { mostLanes, type ReportedLane } from '@asyncfn/queue-core';
import { type Broker, reportProcess } from '@asyncfn/queue-core/jetstream';
import type { WorkerMetrics, WorkerMetricsSources } from '../metrics.ts';
import { RecentAttempts } from './recent-attempts.ts';

export interface ReportingOptions {
  readonly broker: Broker;
  /** `HOST:PID` */
  readonly id: string;
  readonly version: string;
  readonly slots: number;
  readonly lanes: WorkerMetricsSources['lanes'];
  /** The one name of a function. */
  readonly resolve: (name: string) => string;
}

/** Reports the worker to gateways that ask. Returns the metrics, which it listens to. */
export function startReporting(options: ReportingOptions, metrics: WorkerMetrics): WorkerMetrics {
  const { broker, id, version, slots } = options;
  const startedAt = Date.now();
  const recent = new RecentAttempts();
  const audited: Record<string, number> = {};
  reportProcess(broker, () => {
    const worker = { slots, audited, lanes: toLanes(options, recent) };
    return { kind: 'worker', id, version, startedAt, worker };
  });
  return {
    ...metrics,
    attemptEnded(of, result) {
      if (result !== undefined) {
        recent.note(of.function, result.status >= 400);
      }
      metrics.attemptEnded(of, result);
    },
    audited(finding) {
      audited[finding] = (audited[finding] ?? 0) + 1;
      metrics.audited(finding);
    },
  };
}

/** Adds up the lanes of a function, in several queues or under several names. Those that have nothing to tell are left out. */
function toLanes({ lanes, resolve }: ReportingOptions, recent: RecentAttempts): ReportedLane[] {
  const found = new Map<string, ReportedLane>();
  for (const name of recent.names) {
    found.set(
      resolve(name),
      add(found.get(resolve(name)), { function: resolve(name), inFlight: 0, ...recent.of(name) }),
    );
  }
  for (const { function: name, inFlight, gate } of lanes()) {
    if (inFlight > 0 || gate.limit !== undefined) {
      const limit = gate.limit === undefined ? {} : { limit: gate.limit };
      const lane = { function: resolve(name), inFlight, ...limit, attempts: 0, failed: 0 };
      found.set(lane.function, add(found.get(lane.function), lane));
    }
  }
  return [...found.values()].slice(0, mostLanes);
}

function add(known: ReportedLane | undefined, more: ReportedLane): ReportedLane {
  const limit = known?.limit ?? more.limit;
  return {
    function: more.function,
    inFlight: (known?.inFlight ?? 0) + more.inFlight,
    ...(limit !== undefined && { limit }),
    attempts: (known?.attempts ?? 0) + more.attempts,
    failed: (known?.failed ?? 0) + more.failed,
  };
}
