import { randomBytes } from 'node:crypto';
import { type Call, createCallId } from '@asyncfn/queue-core';
import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import { type FunctionConfig, FunctionRegister } from '@asyncfn/queue-core/functions';
import {
  type AcceptOptions,
  type AcceptResult,
  Broker,
  type CallbackDelivery,
  CallbackSource,
  CallbackStore,
  CallQueue,
  CallSource,
  CallStore,
  DeadLetterStore,
  type Delivery,
  ExpirySource,
  ExpiryStore,
  Handovers,
  Publisher,
  QueueTopology,
} from '@asyncfn/queue-core/jetstream';
import { defaultRetryPolicy } from '@asyncfn/queue-core/settle';
import { createLogger, createRegistry, parseConfig } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { CallRunner } from '../src/attempts/call-runner.ts';
import { CallbackDeliverer } from '../src/callbacks/callback-deliverer.ts';
import { CallbackSender } from '../src/callbacks/callback-sender.ts';
import { createCheckedConnector } from '../src/callbacks/checked-connector.ts';
import { Receivers } from '../src/callbacks/receivers.ts';
import { CallbackKeys, type CallbackKeysOptions } from '../src/callbacks/signing/callback-keys.ts';
import { workerConfig } from '../src/config.ts';
import { ExpiryProcessor } from '../src/expiry/expiry-processor.ts';
import { HttpAgent } from '../src/http/http-agent.ts';
import { LaneGate } from '../src/limiter/lane-gate.ts';
import { type Budgets, createBudgets } from '../src/memory/budgets.ts';
import { createMetrics } from '../src/metrics.ts';
import { NameResolver } from '../src/names/name-resolver.ts';
import { LeaseRenewer } from '../src/running/lease-renewer.ts';
import { RunningCalls } from '../src/running/running-calls.ts';
import type { SettleableDelivery } from '../src/settle/delivered-call.ts';
import { Settler } from '../src/settle/settler.ts';

export interface BenchOptions {
  readonly natsUrl: string;
  /** Where the one function is. */
  readonly functionUrl: string;
  /** Lease of calls and of callbacks. Default 30,000. */
  readonly ackWaitMs?: number;
  /** Default 10,000. */
  readonly callbackTimeoutMs?: number;
  /** Default 100. */
  readonly callbacksPerHost?: number;
  /** Default: 100 ms, three times. */
  readonly callbackScheduleMs?: readonly number[];
  /** As `MAX_INFLIGHT_BYTES`. Default 512 MiB. */
  readonly maxInflightBytes?: number;
  /** As in `CALLBACK_ALLOW`. Default: this machine. */
  readonly callbackAllow?: string;
  /** Default: nothing is signed. */
  readonly signing?: Pick<CallbackKeysOptions, 'common' | 'tokens'>;
}

/** A line of the log. */
export interface LogLine extends Record<string, unknown> {
  readonly msg: string;
}

/** What settles calls, on a real broker, with deliveries that the test takes by hand. */
export interface SettlingBench extends AsyncDisposable {
  readonly runner: CallRunner;
  readonly deliverer: CallbackDeliverer;
  readonly store: CallStore;
  readonly callbackStore: CallbackStore;
  readonly expiries: ExpiryStore;
  readonly deadLetters: DeadLetterStore;
  readonly handovers: Handovers;
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly publisher: Publisher;
  readonly held: RunningCalls;
  readonly budgets: Budgets;
  /** What the stop of a worker does to calls that have not begun. */
  readonly stopping: AbortController;
  readonly target: FunctionConfig;
  readonly lane: { readonly queue: string; readonly function: string };
  /** Sentences that were logged. */
  readonly logged: string[];
  /** The same, with their fields. */
  readonly lines: LogLine[];
  /** What the stop of a worker does to work in hand. */
  readonly cutShort: AbortController;
  readonly gate: LaneGate;
  /** Offers a call of the function to the queue. */
  accept(changes: Partial<Call>, options: AcceptOptions): Promise<AcceptResult>;
  /** Accepts a call of the function. */
  put(changes?: Partial<Call>): Promise<Call>;
  /** Takes the next delivery, also one whose lease has run out. */
  take(): Promise<Delivery>;
  /** Time passes, on the monotonic clock of who settles. */
  pass(ms: number): void;
  /** Runs a delivery until nothing is left to do for it. */
  run(delivery: Delivery, target?: FunctionConfig): Promise<void>;
  /** Retries that wait for their time. */
  hasRetries(): Promise<boolean>;
  /** Messages about expiries of any call. */
  storedExpiries(): Promise<number>;
  /** Times that stored callbacks were delivered to a worker. */
  storedCallbackDeliveries(): Promise<number>;
  /** Calls in the queue, waiting and in hand. */
  queued(): Promise<number>;
  /** Delivers stored callbacks until the end of the test. */
  deliverStored(): void;
  /** Ends calls that have expired until the end of the test. */
  endExpired(): void;
}

/** Connects to the broker and waits until the topology is in place. The queue is one that no other test has. */
export async function startBench(options: BenchOptions): Promise<SettlingBench> {
  const { natsUrl, ackWaitMs = 30_000 } = options;
  const queue = `test-${randomBytes(6).toString('hex')}`;
  const target = functionConfig(queue, options.functionUrl);
  const logged: string[] = [];
  const lines: LogLine[] = [];
  const destination = {
    write: (text: string) => {
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      logged.push(line.msg);
    },
  };
  const logger = createLogger({ name: 'worker', level: 'info', format: 'json', destination });
  const onFatal = (error: Error): void => void logged.push(error.message);
  const broker = new Broker({ servers: [natsUrl], name: 'test', logger, onFatal });
  const topology = new QueueTopology(broker, {
    replicas: 1,
    ackWaitMs,
    ownsLanes: true,
    queues: () => [queue],
    logger,
    onFatal,
  });
  const publisher = new Publisher(broker);
  const register = new FunctionRegister({ functions: new Map([[target.name, target]]), fallback: undefined });
  const calls = new CallQueue({ broker, topology, publisher, register });
  const deliveries: Delivery[] = [];
  const source = new CallSource(broker, {
    onDelivery: (delivery) => void deliveries.push(delivery),
    onUnfilled: () => {},
    onLaneGone: () => {},
  });
  const handovers = new Handovers(publisher, topology);
  const cutShort = new AbortController();
  const agent = new HttpAgent({ maxHeaderBytes: 64 * 1024 });
  const policy = callbackPolicy(options);
  const names = new NameResolver({ servers: [], logger, signal: cutShort.signal });
  const callbackAgent = new HttpAgent({
    connect: createCheckedConnector({
      policy,
      timeoutMs: 10_000,
      resolve: (host) => names.resolve(host, { submitter: undefined, waitMs: 10_000 }),
    }),
    maxHeaderBytes: 64 * 1024,
  });
  const agents = { agent, callbackAgent, policy, names };
  const parts = buildSettling({ options, logger, broker, topology, publisher, handovers, cutShort, ...agents });
  broker.start();
  await eventually(() => topology.ready);
  const lane = { queue, function: target.name };
  const gate = new LaneGate({ adaptive: true, onRoom: () => {} });
  const stop = new AbortController();
  return {
    ...parts,
    handovers,
    broker,
    topology,
    publisher,
    target,
    lane,
    gate,
    logged,
    lines,
    cutShort,
    deadLetters: new DeadLetterStore({
      broker,
      topology,
      publisher,
      calls: parts.store,
      callbacks: parts.callbackStore,
    }),
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
      await eventually(() => deliveries.length > before);
      return deliveries[before] as Delivery;
    },
    pass: parts.pass,
    async run(delivery, config = target) {
      await parts.runner.run(delivery, config, gate);
      await parts.runner.whenSettled();
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
    deliverStored() {
      const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
      void parts.deliverer.runStored(stop.signal, () => topology.ready, wait);
    },
    endExpired() {
      const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms).unref());
      void parts.expiryProcessor.run(stop.signal, () => topology.ready, wait);
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      cutShort.abort();
      await parts.deliverer.whenIdle();
      await parts.expiryProcessor.whenIdle();
      await source.stop();
      await broker.stop();
      await Promise.all([agent.destroy(), callbackAgent.destroy()]);
    },
  };
}

interface SettlingNeeds {
  readonly options: BenchOptions;
  readonly logger: ReturnType<typeof createLogger>;
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly publisher: Publisher;
  readonly handovers: Handovers;
  readonly cutShort: AbortController;
  readonly agent: HttpAgent;
  readonly callbackAgent: HttpAgent;
  readonly policy: CallbackPolicy;
  readonly names: NameResolver;
}

/** As the worker puts it together, without its dispatcher. */
function buildSettling(needs: SettlingNeeds) {
  const { options, logger, broker, topology, publisher, handovers, cutShort, agent, callbackAgent, policy, names } =
    needs;
  const { callbackTimeoutMs = 10_000, callbacksPerHost = 100, callbackScheduleMs = [100, 100, 100] } = options;
  const { ackWaitMs = 30_000 } = options;
  const { signal } = cutShort;
  const budgets = createBudgets(options.maxInflightBytes ?? 512 * 1024 * 1024);
  const metrics = createMetrics({
    registry: createRegistry(),
    slots: 1,
    isRegistered: () => true,
    lanes: () => [],
    budgets,
    backlog: () => Promise.resolve(undefined),
    reconnects: () => 0,
    connected: () => true,
    streamsLost: () => 0,
  });
  let passedMs = 0;
  const pass = (ms: number): void => {
    passedMs += ms;
  };
  const common = {
    metrics,
    logger,
    userAgent: 'test',
    now: Date.now,
    monotonicNow: () => performance.now() + passedMs,
    random: () => 0.5,
    onStep: () => {},
    publishRetry: { connected: () => broker.connected, signal },
    signal,
  };
  const store = new CallStore(publisher, topology);
  const callbackStore = new CallbackStore(publisher, topology);
  const deliverer = new CallbackDeliverer({
    ...common,
    sender: new CallbackSender({
      ...common,
      agent: callbackAgent,
      policy,
      timeoutMs: callbackTimeoutMs,
      scheduleMs: callbackScheduleMs,
      keys: new CallbackKeys({ common: [], tokens: () => undefined, ...common, ...options.signing }),
    }),
    receivers: new Receivers({
      max: 100,
      maxPerHost: callbacksPerHost,
      timeoutMs: callbackTimeoutMs,
      names,
      policy,
    }),
    budget: budgets.callbacks,
    store: callbackStore,
    calls: store,
    source: new CallbackSource({ topology, ackWaitMs }),
    leases: new LeaseRenewer<CallbackDelivery>(ackWaitMs),
  });
  const handBack = (delivery: SettleableDelivery, delayMs?: number): Promise<void> =>
    Promise.resolve(delivery.nak(delayMs));
  const expiries = new ExpiryStore(publisher, topology);
  const expiryProcessor = new ExpiryProcessor({
    ...common,
    source: new ExpirySource({ topology, ackWaitMs }),
    expiries,
    calls: store,
    bodies: budgets.bodies,
    settler: new Settler({ ...common, store, callbacks: deliverer, handBack }),
    ackWaitMs,
  });
  const held = new RunningCalls(signal);
  const stopping = new AbortController();
  const runner = new CallRunner({
    ...common,
    running: held,
    onCallChange: () => {},
    functions: agent,
    settler: new Settler({ ...common, store, callbacks: deliverer, handBack }),
    store,
    expiries,
    // None is kept: a test lets them run out.
    leases: new LeaseRenewer(24 * 60 * 60 * 1000),
    maxResponseBytes: 16 * 1024 * 1024,
    budgets,
    stopping: stopping.signal,
    retryDefaults: { ...defaultRetryPolicy, minWaitMs: 60_000, backoff: 'exponential' as const },
    countUnfinished: (call) => handovers.countUnfinished(call),
    noteBegin: (call) => handovers.noteBegin(call),
  });
  return { runner, deliverer, store, callbackStore, held, expiries, expiryProcessor, pass, budgets, stopping };
}

function callbackPolicy({ callbackAllow = '127.0.0.0/8,::1' }: BenchOptions): CallbackPolicy {
  return new CallbackPolicy(parseConfig(workerConfig, { CALLBACK_ALLOW: callbackAllow }));
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
