import { setMaxListeners } from 'node:events';
import { followFunctions, loadFunctionsFile } from '@asyncfn/live-functions';
import { type QueueError, toStreamLimits } from '@asyncfn/queue-core';
import { defaultQueue, FunctionRegister, type FunctionsFile, withoutFile } from '@asyncfn/queue-core/functions';
import {
  BacklogReader,
  Broker,
  BrokerPulse,
  type CallbackDelivery,
  CallbackSource,
  CallbackStore,
  CallChangeNotifier,
  CallStore,
  createGroupCommit,
  ExpirySource,
  ExpiryStore,
  findSettingProblems,
  Handovers,
  OutcomePruner,
  OverdueSchedules,
  Publisher,
  QueueTopology,
  ReceiptSource,
  ReceiptStore,
  SharedRegister,
  StreamRoom,
  StreamWatch,
  serveRunningCalls,
} from '@asyncfn/queue-core/jetstream';
import {
  allConfigured,
  brokerAddress,
  createOpsServer,
  createRegistry,
  createService,
  opsAddress,
  type ProcessContext,
  refuseProblems,
  type Service,
  startTracing,
  type Tracing,
} from '@asyncfn/service-kit';
import { CallRunner } from './attempts/index.ts';
import { CallAudit } from './call-audit.ts';
import {
  CallbackDeliverer,
  type CallbackEgress,
  CallbackKeys,
  CallbackSender,
  createCallbackEgress,
  loadTokenSecrets,
  type TokenKeys,
} from './callbacks/index.ts';
import { contradictions, toRetryDefaults, type WorkerConfig } from './config.ts';
import { ExpiryProcessor } from './expiry/index.ts';
import { HttpAgent } from './http/index.ts';
import { buildLanes, createCachedBacklog, type Dispatcher } from './lanes/index.ts';
import { type Budgets, createBudgets } from './memory/index.ts';
import { createMetrics, type WorkerMetrics } from './metrics.ts';
import { startRounds } from './rounds.ts';
import { LeaseRenewer, RunningCalls } from './running/index.ts';
import { nakTimer, noteAndNak, type SettleableDelivery, Settler } from './settle/index.ts';
import { stopWorker } from './stop.ts';
import type { OnSettleStep } from './storing/index.ts';
import type { BrokerParts, WorkerParts } from './worker-parts.ts';

/** Seams for tests. */
export interface WorkerOverrides {
  /** Told of each step of settling a call. Default: nobody. */
  readonly onSettleStep?: OnSettleStep;
  /** Unix time in milliseconds. Default `Date.now`. */
  readonly now?: () => number;
  /** Gives numbers from 0 to 1. Default `Math.random`. */
  readonly random?: () => number;
}

/** A worker: takes calls out of the queues, invokes their functions, settles them and delivers the results. */
export async function createWorker(
  config: WorkerConfig,
  context: ProcessContext,
  overrides: WorkerOverrides = {},
): Promise<Service> {
  refuseProblems(contradictions(config));
  const [file, tokenSecrets] = await allConfigured([
    loadFunctionsFile(config, context),
    loadTokenSecrets(config),
    findSettingProblems(brokerAddress(config)).then(refuseProblems),
  ]);
  const { logger, version } = context;
  const tracing = await startTracing(config, { serviceName: 'asyncfn-worker', version, logger });
  const parts = buildParts({ config, context, overrides, tracing, tokenKeys: () => tokenSecrets?.current }, file);
  const ops = createOpsServer({
    ...opsAddress(config),
    registry: parts.registry,
    readiness: () => ({
      ready: !parts.stop.signal.aborted && parts.broker.connected && parts.topology.ready && parts.shared.complete,
      checks: {
        nats: parts.broker.state,
        topology: parts.topology.ready ? 'in place' : 'pending',
        streams: parts.watch.state,
        register: parts.shared.complete ? 'known' : 'pending',
        intake: parts.stop.signal.aborted ? 'closed' : 'open',
      },
    }),
    logger,
  });
  return createService({
    async start() {
      await ops.start();
      parts.broker.start();
      startRounds(parts);
      void tokenSecrets?.follow(logger, parts.stop.signal);
      void followFunctions({ file, shared: parts.shared, logger, signal: parts.stop.signal });
    },
    stop: () => stopWorker(parts, ops, config.shutdownTimeoutMs),
  });
}

interface Setting {
  readonly config: WorkerConfig;
  readonly context: ProcessContext;
  readonly overrides: WorkerOverrides;
  readonly tracing: Tracing;
  /** The tokens that are known now; undefined where no tokens file is set. */
  readonly tokenKeys: () => TokenKeys | undefined;
}

function buildParts(setting: Setting, file: FunctionsFile | undefined): WorkerParts {
  const { config, context } = setting;
  const { logger } = context;
  const signals = { stop: new AbortController(), cutShort: new AbortController() };
  // One listener for each call in hand, and for each wait: Node would take more than ten of them for a leak.
  setMaxListeners(0, signals.cutShort.signal, signals.stop.signal);
  const brokerParts = connectParts(setting, file);
  const { broker, topology, publisher } = brokerParts;
  const handovers = new Handovers(publisher, topology);
  const handBack = (delivery: SettleableDelivery, delayMs?: number): Promise<void> =>
    noteAndNak(handovers, delivery, delayMs);
  const lanes = buildLanes({
    ...brokerParts,
    slots: config.maxInflight,
    run: (delivery, target, gate, isFirst) => work.runner.run(delivery, target, gate, isFirst),
    queues: config.queues,
    logger,
    handBack,
  });
  const allLeases = createLeases(broker, config.ackWaitMs);
  const budgets = createBudgets(config.maxInflightBytes);
  const { registry, metrics } = buildMetrics(setting, { ...brokerParts, budgets }, lanes.dispatcher);
  const egress = createCallbackEgress(config, logger, signals.cutShort.signal);
  const agents = {
    agent: new HttpAgent({ maxHeaderBytes: config.maxResponseHeaderBytes }),
    callbackAgent: egress.callbackAgent,
  };
  const needs = { ...brokerParts, ...allLeases, ...agents, ...signals, handovers, handBack, metrics, egress, budgets };
  const work = buildWork(setting, needs);
  return {
    ...brokerParts,
    ...work,
    logger,
    tracing: setting.tracing,
    registry,
    ...lanes,
    overdue: new OverdueSchedules(publisher, topology),
    pruner: new OutcomePruner(brokerParts),
    audit: buildAudit(setting, brokerParts, metrics),
    ...allLeases,
    ...agents,
    ...signals,
    handBack,
  };
}

function createLeases(broker: Broker, ackWaitMs: number): Pick<WorkerParts, 'leases' | 'callbackLeases'> {
  const leases = new LeaseRenewer(ackWaitMs);
  const callbackLeases = new LeaseRenewer<CallbackDelivery>(ackWaitMs);
  broker.onConnect(() => {
    leases.renew();
    callbackLeases.renew();
  });
  return { leases, callbackLeases };
}

function buildMetrics(
  { config, context }: Setting,
  { register, broker, topology, watch, budgets }: BrokerParts & { readonly budgets: Budgets },
  dispatcher: Dispatcher,
) {
  const registry = createRegistry();
  const metrics = createMetrics({
    registry,
    slots: config.maxInflight,
    isRegistered: (name) => register.isRegistered(name),
    resolve: (name) => register.resolve(name),
    lanes: () => dispatcher.lanes(),
    budgets,
    backlog: createCachedBacklog({
      reader: new BacklogReader(topology),
      queues: config.queues,
      logger: context.logger,
    }),
    reconnects: () => broker.reconnects,
    connected: () => broker.connected,
    streamsLost: () => watch.lost,
  });
  return { registry, metrics };
}

function buildAudit({ config, context, overrides }: Setting, parts: BrokerParts, metrics: WorkerMetrics): CallAudit {
  const { topology, publisher } = parts;
  return new CallAudit({
    source: new ReceiptSource({ topology, ackWaitMs: config.ackWaitMs }),
    store: new ReceiptStore(publisher, topology),
    metrics,
    logger: context.logger,
    now: overrides.now ?? Date.now,
  });
}

interface WorkNeeds extends BrokerParts, Pick<WorkerParts, 'handBack' | 'leases' | 'callbackLeases'> {
  readonly handovers: Handovers;
  readonly metrics: WorkerMetrics;
  readonly agent: HttpAgent;
  readonly egress: CallbackEgress;
  readonly budgets: Budgets;
  readonly stop: AbortController;
  readonly cutShort: AbortController;
}

/** What is done with a call: invoke, settle, call back. */
function buildWork(setting: Setting, needs: WorkNeeds): Pick<WorkerParts, 'runner' | 'callbacks' | 'expiries'> {
  const { config, context, overrides } = setting;
  const { broker, pulse, topology, publisher, handovers, handBack, leases, callbackLeases, metrics, agent } = needs;
  const { callbackAgent, policy, receivers } = needs.egress;
  const { budgets } = needs;
  const { signal } = needs.cutShort;
  const common = {
    metrics,
    logger: context.logger,
    tracer: setting.tracing.tracer,
    userAgent: `asyncfn-worker/${context.version}`,
    now: overrides.now ?? Date.now,
    random: overrides.random ?? Math.random,
    onStep: overrides.onSettleStep ?? (() => {}),
    publishRetry: { connected: () => broker.connected, signal },
    signal,
  };
  const { logger } = common;
  const outcomes = createGroupCommit({ mode: config.groupCommit, broker, topology, publisher, logger });
  const store = new CallStore(publisher, topology, outcomes);
  const callbacks = new CallbackDeliverer({
    ...common,
    sender: new CallbackSender({
      ...common,
      agent: callbackAgent,
      policy,
      timeoutMs: config.callbackTimeoutMs,
      scheduleMs: config.callbackRetryScheduleMs,
      keys: new CallbackKeys({ ...common, common: config.callbackSigningSecrets, tokens: setting.tokenKeys }),
    }),
    receivers,
    budget: budgets.callbacks,
    store: new CallbackStore(publisher, topology),
    calls: store,
    source: new CallbackSource({ topology, ackWaitMs: config.ackWaitMs }),
    leases: callbackLeases,
  });
  const held = createRunningCalls(broker, pulse, signal);
  const moves = new CallChangeNotifier(broker);
  const expiries = new ExpiryStore(publisher, topology, common.now);
  const runner = new CallRunner({
    ...common,
    running: held,
    onCallChange: (call) => moves.notify(call),
    functions: agent,
    settler: new Settler({ ...common, store, callbacks, handBack }),
    store,
    expiries,
    leases,
    maxResponseBytes: config.maxResponseBytes,
    budgets,
    stopping: needs.stop.signal,
    retryDefaults: toRetryDefaults(config),
    countUnfinished: (call) => handovers.countUnfinished(call),
    noteBegin: (call) => handovers.noteBegin(call),
  });
  const processor = new ExpiryProcessor({
    ...common,
    source: new ExpirySource({ topology, ackWaitMs: config.ackWaitMs }),
    expiries,
    calls: store,
    bodies: budgets.bodies,
    settler: new Settler({ ...common, store, callbacks, handBack: nakTimer }),
    ackWaitMs: config.ackWaitMs,
  });
  return { runner, callbacks, expiries: processor };
}

function createRunningCalls(broker: Broker, pulse: WorkNeeds['pulse'], signal: AbortSignal): RunningCalls {
  const held = new RunningCalls(signal, { silentForMs: () => pulse.silentForMs });
  serveRunningCalls(broker, held);
  broker.onConnect(() => {
    if (broker.reconnects > 0) {
      held.noteOutage();
    }
  });
  return held;
}

function connectParts({ config, context }: Setting, file: FunctionsFile | undefined): BrokerParts {
  const { logger, version } = context;
  const onFatal = (error: QueueError): void => context.fail(error);
  const register = new FunctionRegister();
  const broker = new Broker({
    ...brokerAddress(config),
    name: `asyncfn-worker ${version}`,
    logger,
    onFatal,
  });
  const topology = new QueueTopology(broker, {
    replicas: config.streamReplicas,
    limits: toStreamLimits(config.streamMaxBytes),
    ackWaitMs: config.ackWaitMs,
    ownsLanes: true,
    isPaused: (name) => register.isPaused(name),
    mayResume: async (name) => (await shared.read(register.resolve(name)))?.entry.paused !== true,
    queues: () => config.queues ?? new Set([defaultQueue, ...register.list().map(({ queue }) => queue)]),
    logger,
    onFatal,
  });
  const shared = new SharedRegister({
    broker,
    topology,
    register,
    file: file?.definition ?? withoutFile(config.defaultNamespace),
    logger,
  });
  const room = config.streamMaxBytes.length > 0 ? new StreamRoom(topology) : undefined;
  const publisher = new Publisher(broker, room === undefined ? {} : { room });
  const pulse = new BrokerPulse(broker);
  const watch = new StreamWatch(topology, logger);
  return { broker, pulse, topology, publisher, register, shared, room, watch };
}
