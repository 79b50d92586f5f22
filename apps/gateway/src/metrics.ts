import { createBoundedLabel, TallyCounter, TallyHistogram } from '@asyncfn/service-kit';
import { Counter, Gauge, type Registry } from 'prom-client';
import type { ProblemCode } from './problem.ts';

/** Every metric of the gateway. Metrics that OpenFaaS also has keep its names, so that its dashboards work. */
export interface GatewayMetrics {
  /** A call of a registered function is handed to the queue. */
  callStarted(functionName: string): void;
  /** JetStream has stored a call. */
  callSubmitted(queue: string): void;
  /** A call was not stored again, because its `Idempotency-Key` is known. */
  callReplayed(): void;
  /** A batch was accepted, or is known by its `Idempotency-Key`. */
  batchAccepted(result: 'stored' | 'replayed'): void;
  /** An enqueue was refused. */
  callRefused(code: ProblemCode): void;
  /** A response was sent. `path` is the pattern of a route, or `other`. */
  requestEnded(method: string, path: string, status: number, seconds: number): void;
  /** A connection was closed on arrival, because the limit was reached. */
  connectionDropped(): void;
}

/** Up to this many functions that exist only by `defaults.url` have labels; the rest share `other`. */
const maxFunctionLabels = 1000;

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

export interface GatewayMetricsSources {
  readonly registry: Registry;
  /** Whether a function is in the register: then its name is always a label. */
  readonly isRegistered: (name: string) => boolean;
  /** Reconnections to NATS so far. Called at each scrape. */
  readonly reconnects: () => number;
  /** Called at each scrape. */
  readonly connected: () => boolean;
  /** Streams lost so far. Called at each scrape. */
  readonly streamsLost: () => number;
}

export function createMetrics(sources: GatewayMetricsSources): GatewayMetrics {
  const instruments = createInstruments(sources.registry);
  observeConnection(sources);
  const toLabel = createBoundedLabel(maxFunctionLabels, sources.isRegistered);
  return {
    callStarted: (functionName) => instruments.started.inc(toLabel(functionName)),
    callSubmitted: (queue) => instruments.submitted.inc(queue),
    callReplayed: () => instruments.replayed.inc(),
    batchAccepted: (result) => instruments.batches.inc({ result }),
    callRefused: (code) => instruments.refused.inc({ code }),
    requestEnded(method, path, status, seconds) {
      instruments.durations.observe(seconds, methods.has(method) ? method : 'other', path, String(status));
    },
    connectionDropped: () => instruments.dropped.inc(),
  };
}

function createInstruments(registry: Registry) {
  const registers = [registry];
  const durations = createDurations(registry);
  new Counter({
    name: 'http_requests_total',
    help: 'Requests answered.',
    labelNames: requestLabels,
    registers,
    // Derived from the histogram, because finding the entry for a set of labels costs more than counting.
    async collect() {
      this.reset();
      for (const { metricName, labels, value } of (await durations.get()).values) {
        if (metricName === `${durationsName}_count`) {
          this.inc(labels, value);
        }
      }
    },
  });
  return {
    started: new TallyCounter(['function_name'], {
      name: 'gateway_invocation_function_started',
      help: 'Calls of a function handed to the queue.',
      registers,
    }),
    submitted: new TallyCounter(['queue_name'], {
      name: 'queue_worker_messages_submitted_total',
      help: 'Calls that JetStream has stored.',
      registers,
    }),
    replayed: new Counter({
      name: 'gateway_calls_replayed_total',
      help: 'Requests answered with an earlier call with the same Idempotency-Key.',
      registers,
    }),
    batches: new Counter({
      name: 'gateway_batches_accepted_total',
      help: 'Batches accepted, and those that were known by their Idempotency-Key.',
      labelNames: ['result'],
      registers,
    }),
    refused: new Counter({
      name: 'gateway_calls_refused_total',
      help: 'Refused calls, by the code of the problem.',
      labelNames: ['code'],
      registers,
    }),
    durations,
    dropped: new Counter({
      name: 'gateway_connections_dropped_total',
      help: 'Connections closed on arrival because MAX_CONNECTIONS was reached.',
      registers,
    }),
  };
}

const requestLabels = ['method', 'path', 'status'] as const;
const durationsName = 'http_request_duration_seconds';

function createDurations(registry: Registry) {
  return new TallyHistogram(requestLabels, {
    name: durationsName,
    help: 'Seconds from the headers of a request to the end of its response.',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
}

/** Resources that clients make the gateway hold. Called at each scrape. */
export interface HeldSources {
  readonly inflightBytes: () => number;
  readonly resultBytes: () => number;
  readonly waiters: () => number;
  readonly searchEntries: () => number;
}

/** Exports the resources that clients make the gateway hold. */
export function showHeld(
  registry: Registry,
  { inflightBytes, resultBytes, waiters, searchEntries }: HeldSources,
): void {
  const registers = [registry];
  new Gauge({
    name: 'gateway_inflight_bytes',
    help: 'Bytes of bodies that are being read or wait for the queue. At most MAX_INFLIGHT_BYTES.',
    registers,
    collect() {
      this.set(inflightBytes());
    },
  });
  new Gauge({
    name: 'gateway_result_bytes',
    help: 'Bytes of results and lists that are being sent to clients. Exceeds MAX_INFLIGHT_BYTES by at most one result.',
    registers,
    collect() {
      this.set(resultBytes());
    },
  });
  new Gauge({
    name: 'gateway_waiters',
    help: 'Requests that wait for a call. At most MAX_WAITERS.',
    registers,
    collect() {
      this.set(waiters());
    },
  });
  new Gauge({
    name: 'gateway_search_entries',
    help: 'Messages about calls that searches have in memory, 33 bytes each.',
    registers,
    collect() {
      this.set(searchEntries());
    },
  });
}

/** The store of large bodies. */
export interface BodyStoreSources {
  /** Rejects while the broker is away. */
  readonly refresh: () => Promise<void>;
  readonly usedBytes: number;
  /** Undefined if there is no limit. */
  readonly maxBytes: number | undefined;
}

/** Exports how full the store of large bodies is. */
export function showBodyStore(registry: Registry, store: BodyStoreSources): void {
  const registers = [registry];
  new Gauge({
    name: 'gateway_body_store_bytes',
    help: 'Bytes of the store of large bodies at the scrape before, with those that are announced to this gateway.',
    registers,
    collect() {
      this.set(store.usedBytes);
      // For the next scrape: this one must not wait for a broker that does not answer.
      store.refresh().catch(() => undefined);
    },
  });
  new Gauge({
    name: 'gateway_body_store_limit_bytes',
    help: 'BODY_STORE_MAX_BYTES. 0 if there is no limit.',
    registers,
  }).set(store.maxBytes ?? 0);
}

function observeConnection({ registry, reconnects, connected, streamsLost }: GatewayMetricsSources): void {
  const registers = [registry];
  new Gauge({
    name: 'gateway_nats_connected',
    help: '1 while NATS is connected and responds, else 0.',
    registers,
    collect() {
      this.set(connected() ? 1 : 0);
    },
  });
  new Counter({
    name: 'gateway_nats_reconnect_total',
    help: 'How often the connection to NATS was re-established.',
    registers,
    collect() {
      this.reset();
      this.inc(reconnects());
    },
  });
  new Counter({
    name: 'gateway_streams_lost_total',
    help: 'Streams that the broker has lost, with their content, since this gateway saw them.',
    registers,
    collect() {
      this.reset();
      this.inc(streamsLost());
    },
  });
}
