import { randomBytes } from 'node:crypto';
import { type Call, createCallId } from '@asyncfn/queue-core';
import { type FunctionConfig, FunctionRegister } from '@asyncfn/queue-core/functions';
import {
  type AcceptOptions,
  type AcceptResult,
  BodyStore,
  type Broker,
  type CallbackStore,
  CallQueue,
  CallSource,
  type CallStore,
  DeadLetterStore,
  type Delivery,
  type ExpiryStore,
  type Flows,
  Handovers,
  type Publisher,
  type QueueTopology,
} from '@asyncfn/queue-core/jetstream';
import { composeService, createLogger, type Logger, parseConfig } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import type { CallRunner } from '../src/attempts/call-runner.ts';
import { buildAttempts } from '../src/attempts/index.ts';
import { buildBatches } from '../src/batches/index.ts';
import { createConnections } from '../src/broker/index.ts';
import { buildCallbacks, type CallbackDeliverer } from '../src/callbacks/index.ts';
import type { CallbackKeysOptions } from '../src/callbacks/signing/callback-keys.ts';
import { type WorkerConfig, workerConfig } from '../src/config.ts';
import { buildExpiries } from '../src/expiry/index.ts';
import { LaneGate } from '../src/limiter/lane-gate.ts';
import type { Budgets } from '../src/memory/index.ts';
import { LeaseRenewer, RunningCalls } from '../src/running/index.ts';
import { createWorkContext } from '../src/work-context.ts';

export interface BenchOptions {
  readonly natsUrl: string;
  /** The URL of the one function. */
  readonly functionUrl: string;
  /** Lease of calls and of callbacks. Default 30,000. */
  readonly ackWaitMs?: number;
  /** Default 10,000. */
  readonly callbackTimeoutMs?: number;
  /** Default 100. */
  readonly callbacksPerHost?: number;
  /** Default: 100 ms, three times. */
  readonly callbackScheduleMs?: readonly number[];
  /** `MAX_INFLIGHT_BYTES`. Default 512 MiB. */
  readonly maxInflightBytes?: number;
  /** `CALLBACK_ALLOW`. Default: this machine. */
  readonly callbackAllow?: string;
  /** Reads the bodies that are stored apart. Default: from the broker. */
  readonly readBody?: BodyStore['read'];
  /** How long one round of tries to store something lasts while the broker refuses. Default 30,000. */
  readonly publishLimitMs?: number;
  /** Begins to store a large response. Default: at the broker. */
  readonly upload?: BodyStore['upload'];
  /** `OFFLOAD_BYTES`. Default: as in a worker. */
  readonly offloadBytes?: number;
  /** `BODY_SWEEP_AFTER`, in milliseconds. Nothing is swept: only open uploads say that they go on. Default: as in a worker. */
  readonly bodySweepAfterMs?: number;
  /** Default: nothing is signed. */
  readonly signing?: Pick<CallbackKeysOptions, 'common' | 'tokens'>;
}

/** A line of the log. */
export interface LogLine extends Record<string, unknown> {
  readonly msg: string;
}

/** The rooms that settle calls, on a real broker. The test takes deliveries itself. */
export interface SettlingBench extends AsyncDisposable {
  readonly runner: CallRunner;
  readonly deliverer: CallbackDeliverer;
  readonly store: CallStore;
  readonly bodies: BodyStore;
  readonly callbackStore: CallbackStore;
  readonly expiries: ExpiryStore;
  readonly deadLetters: DeadLetterStore;
  readonly handovers: Handovers;
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly publisher: Publisher;
  readonly flows: Flows;
  readonly held: RunningCalls;
  readonly budgets: Budgets;
  /** Does with calls that have not begun what the stop of a worker does. */
  readonly stopping: AbortController;
  readonly target: FunctionConfig;
  readonly lane: { readonly queue: string; readonly function: string };
  /** Sentences in the log. */
  readonly logged: string[];
  /** The same, with their fields. */
  readonly lines: LogLine[];
  /** Does with work in flight what the stop of a worker does. */
  readonly cutShort: AbortController;
  readonly gate: LaneGate;
  /** Offers a call of the function to the queue. */
  accept(changes: Partial<Call>, options: AcceptOptions): Promise<AcceptResult>;
  /** Accepts a call of the function. */
  put(changes?: Partial<Call>): Promise<Call>;
  /** Takes the next delivery, even one whose lease has run out. */
  take(): Promise<Delivery>;
  /** Lets time pass, on the monotonic clock of the rooms. */
  pass(ms: number): void;
  /** Runs a delivery until nothing is left to do for it. */
  run(delivery: Delivery, target?: FunctionConfig): Promise<void>;
  /** Retries that wait for their time. */
  hasRetries(): Promise<boolean>;
  /** Messages about expiries of any call. */
  storedExpiries(): Promise<number>;
  /** How often stored callbacks were delivered to a worker. */
  storedCallbackDeliveries(): Promise<number>;
  /** Calls in the queue, waiting and in flight. */
  queued(): Promise<number>;
  /** Delivers stored callbacks until the end of the test. */
  deliverStored(): void;
  /** Ends batches until the end of the test, like one of several workers; may be called several times. */
  endBatches(): void;
  /** Ends calls that have expired until the end of the test. */
  endExpired(): void;
}

/** Connects to the broker and waits until the topology exists. No other test uses the queue. */
export async function startBench(options: BenchOptions): Promise<SettlingBench> {
  const queue = `test-${randomBytes(6).toString('hex')}`;
  const target = functionConfig(queue, options.functionUrl);
  const { logger, lines } = recordingLogger();
  const { work, callbacks, expiries, attempts, stopping, cutShort, pass } = buildSettling(options, queue, logger);
  const { broker, topology, publisher } = work;
  const register = new FunctionRegister({ functions: new Map([[target.name, target]]), fallback: undefined });
  const calls = new CallQueue({ broker, topology, publisher, register, flows: work.flows });
  const deliveries: Delivery[] = [];
  const batchLoops: ReturnType<typeof buildBatches>[number][] = [];
  const source = new CallSource(broker, {
    onDelivery: (delivery) => void deliveries.push(delivery),
    onUnfilled: () => {},
    onLaneGone: () => {},
  });
  const connections = createConnections({
    ...work,
    source,
    leases: [callbacks.loop.leases, expiries.loop.leases],
    agents: [attempts.agent, callbacks.agent],
  });
  const lifetime = new AbortController();
  const service = composeService([connections], { name: 'the bench', logger, stopping: lifetime });
  await service.start();
  await eventually(() => topology.ready && work.shared.complete);
  const lane = { queue, function: target.name };
  // On a clock that stands still the limit does not grow by itself, however long a step of a test takes.
  const gate = new LaneGate({ adaptive: true, onRoom: () => {}, now: () => 0 });
  return {
    runner: attempts.runner,
    held: attempts.running,
    deliverer: callbacks.deliverer,
    callbackStore: callbacks.store,
    expiries: expiries.store,
    store: work.calls,
    bodies: work.bodies,
    budgets: work.budgets,
    handovers: new Handovers(publisher, topology),
    broker,
    topology,
    publisher,
    flows: work.flows,
    target,
    lane,
    gate,
    get logged() {
      return lines.map(({ msg }) => msg);
    },
    lines,
    stopping,
    cutShort,
    deadLetters: new DeadLetterStore({ ...work, calls: work.calls, callbacks: callbacks.store }),
    accept: (changes, acceptOptions) => calls.accept(buildCall(target, changes), acceptOptions),
    async put(changes = {}) {
      const call = buildCall(target, changes);
      const result = await calls.accept(call, { unique: false });
      if (result.kind !== 'stored') {
        throw new Error(`the call was not stored: ${JSON.stringify(result)}`);
      }
      return call;
    },
    async take() {
      const before = deliveries.length;
      source.request(lane, 1, 30_000);
      await eventually(() => deliveries.length > before, { message: 'nothing was delivered' });
      return deliveries[before] as Delivery;
    },
    pass,
    async run(delivery, config = target) {
      await attempts.runner.run(delivery, config, gate);
      await attempts.runner.whenSettled();
      source.flush();
      await broker.connection?.flush();
    },
    hasRetries: () => topology.hasScheduled(queue, target.name),
    async storedExpiries() {
      return (await topology.manager.streams.info('EXPIRIES')).state.messages;
    },
    async storedCallbackDeliveries() {
      return (await topology.manager.consumers.info('CALLBACKS', 'callbacks')).delivered.consumer_seq;
    },
    async queued() {
      const [state] = await topology.listLanes(queue);
      return (state?.pending ?? 0) + (state?.inFlight ?? 0);
    },
    deliverStored: () => callbacks.loop.start(lifetime.signal),
    endBatches() {
      const loops = buildBatches(work, callbacks);
      batchLoops.push(...loops);
      for (const loop of loops) {
        loop.start(lifetime.signal);
      }
    },
    endExpired: () => expiries.loop.start(lifetime.signal),
    async [Symbol.asyncDispose]() {
      lifetime.abort();
      cutShort.abort();
      await Promise.all(batchLoops.map((loop) => loop.whenIdle()));
      await callbacks.loop.whenIdle();
      await expiries.loop.whenIdle();
      await source.stop();
      await service.stop();
    },
  };
}

/** The rooms that settle calls, assembled as in a worker, without its lanes. */
function buildSettling(options: BenchOptions, queue: string, logger: Logger) {
  const [stopping, cutShort] = [new AbortController(), new AbortController()];
  let passedMs = 0;
  const { publishLimitMs: limitMs } = options;
  const context = createWorkContext({
    config: benchConfig(options, queue),
    context: { logger, version: 'test', pid: 1, fail: (err) => logger.error({ err }, 'the bench failed') },
    overrides: { random: () => 0.5, monotonicNow: () => performance.now() + passedMs },
    file: undefined,
    tracing: { tracer: undefined },
    lanes: () => [],
    stopping: stopping.signal,
    cutShort: cutShort.signal,
  });
  const work = { ...context, publishRetry: { ...context.publishRetry, ...(limitMs !== undefined && { limitMs }) } };
  const callbacks = buildCallbacks(work, options.signing?.tokens ?? (() => undefined));
  const expiries = buildExpiries(work, callbacks);
  const collaborators = { callbacks, expiries: expiries.store };
  const { readBody: read, upload } = options;
  const bodies = Object.assign(new BodyStore(work), read && { read }, upload && { upload });
  const attempts = buildAttempts({ ...work, bodies }, collaborators, {
    // Hears of no cancel unless a test serves it.
    running: new RunningCalls(cutShort.signal),
    // Renews no lease: a test lets leases run out.
    leases: new LeaseRenewer(24 * 60 * 60 * 1000),
    handBack: (delivery, delayMs) => Promise.resolve(delivery.nak(delayMs)),
  });
  const pass = (ms: number): void => {
    passedMs += ms;
  };
  return { work, callbacks, expiries, attempts, stopping, cutShort, pass };
}

function benchConfig(options: BenchOptions, queue: string): WorkerConfig {
  const { natsUrl, callbackAllow = '127.0.0.0/8,::1', maxInflightBytes = 512 * 1024 * 1024 } = options;
  return {
    ...parseConfig(workerConfig, {
      NATS_URL: natsUrl,
      QUEUES: queue,
      CALLBACK_ALLOW: callbackAllow,
      GROUP_COMMIT: 'off',
    }),
    // Longer than tests wait: what is not handed back does not come.
    ackWaitMs: options.ackWaitMs ?? 300_000,
    callbackTimeoutMs: options.callbackTimeoutMs ?? 10_000,
    callbackMaxPerHost: options.callbacksPerHost ?? 100,
    callbackRetryScheduleMs: options.callbackScheduleMs ?? [100, 100, 100],
    callbackSigningSecrets: options.signing?.common ?? [],
    maxInflightBytes,
    maxResponseBytes: 16 * 1024 * 1024,
    ...(options.bodySweepAfterMs !== undefined && { bodySweepAfterMs: options.bodySweepAfterMs }),
    ...(options.offloadBytes !== undefined && { offloadBytes: options.offloadBytes }),
    retryMinWaitMs: 60_000,
    retryBackoff: 'exponential',
  };
}

function recordingLogger() {
  const lines: LogLine[] = [];
  const destination = { write: (text: string) => void lines.push(JSON.parse(text) as LogLine) };
  return { lines, logger: createLogger({ name: 'worker', level: 'info', format: 'json', destination }) };
}

function functionConfig(queue: string, url: string): FunctionConfig {
  const retry = {
    attempts: undefined,
    minWaitMs: undefined,
    maxWaitMs: undefined,
    backoff: undefined,
    codes: undefined,
  };
  return {
    name: 'echo',
    url,
    queue,
    timeoutMs: 0,
    concurrency: undefined,
    adaptive: true,
    maxPending: undefined,
    retry,
  };
}

function buildCall({ name, queue }: FunctionConfig, changes: Partial<Call>): Call {
  const id = changes.id ?? createCallId();
  return {
    id,
    function: name,
    queue,
    path: '',
    query: '',
    headers: [],
    startTime: `${Date.now()}000000`,
    retry: 0,
    body: Buffer.from(`body of ${id}`),
    ...changes,
  };
}
