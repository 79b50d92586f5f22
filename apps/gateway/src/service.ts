import { setMaxListeners } from 'node:events';
import type { AddressInfo } from 'node:net';
import { followFunctions, loadFunctionsFile } from '@asyncfn/live-functions';
import { limitOfQueue, toStreamLimits } from '@asyncfn/queue-core';
import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import { defaultQueue, FunctionRegister, type FunctionsFile, withoutFile } from '@asyncfn/queue-core/functions';
import {
  AdmissionControl,
  Broker,
  CallbackStore,
  CallQueue,
  CallStore,
  createGroupCommit,
  DeadLetterStore,
  DurabilityWatch,
  findSettingProblems,
  followDeletedLanes,
  initialAckWaitMs,
  maxBodyBytes,
  type NameLimits,
  Publisher,
  QueueInspector,
  QueueTopology,
  ReceiptMemory,
  ReceiptStore,
  SharedRegister,
  StreamRoom,
  StreamWatch,
  UnregisteredNames,
} from '@asyncfn/queue-core/jetstream';
import {
  allConfigured,
  brokerAddress,
  createOpsServer,
  createRegistry,
  createService,
  isLoopback,
  type Logger,
  type OpsServer,
  OwnHosts,
  opsAddress,
  type ProcessContext,
  type Readiness,
  refuseProblems,
  type Service,
  startTracing,
} from '@asyncfn/service-kit';
import type { FastifyInstance } from 'fastify';
import { buildApp, type ClientLimits } from './app.ts';
import { loadTokens, type TokensFile } from './auth/index.ts';
import { contradictions, type GatewayConfig } from './config.ts';
import { AcceptedCallSampler, CallSpans } from './enqueue/index.ts';
import { BodyBudget } from './http/index.ts';
import { createMetrics, showHeld } from './metrics.ts';
import { PurgeJobs } from './purge/index.ts';
import { QueueRates } from './queues/index.ts';
import { startRounds } from './rounds.ts';
import { stopGateway } from './stop.ts';
import { buildCallControl, startSweeping, Waiters } from './waiting/index.ts';

export type GatewayContext = Pick<ProcessContext, 'logger' | 'version' | 'env' | 'fail'>;

/** What tests put in the place of the real thing. */
export interface GatewayOverrides {
  readonly limits?: Partial<ClientLimits>;
}

export interface Gateway extends Service {
  /** The port of the API. Throws before the start. */
  readonly port: number;
  /** The port of the operations server. Throws before the start. */
  readonly opsPort: number;
}

/** The part of `PUBLISH_TIMEOUT` that JetStream has: the rest is for the answer to be out by then (P1). */
const answerInTime = 0.95;

/**
 * A gateway, from HTTP to JetStream. It starts without waiting for NATS, and answers 503 until that is there.
 *
 * @throws ConfigError when the functions file or the tokens file is wrong, or who may call is not clear
 */
export async function createGateway(
  config: GatewayConfig,
  context: GatewayContext,
  overrides: GatewayOverrides = {},
): Promise<Gateway> {
  const { logger, version } = context;
  const [file, tokensFile] = await readSettings(config, context);
  const tracing = await startTracing(config, { serviceName: 'asyncfn-gateway', version, logger });
  const parts = buildQueue(config, context, file);
  const { broker, topology, publisher, queue, durability, deadLetters, register, shared, admission, maxBytesOf } =
    parts;
  const { callControl, room } = parts;
  const inspector = new QueueInspector(topology, (name) => register.namesOf(name));
  const rates = new QueueRates();
  const { watch, receipts, receiptMemory } = buildAudit(parts, logger);
  const { registry, ...held } = buildMetrics({ ...parts, watch }, config);
  const stopping = new AbortController();
  // One listener for each client that waits: Node would take more than ten of them for a leak.
  setMaxListeners(0, stopping.signal);
  const app = buildApp({
    queue,
    ...callControl,
    ...held,
    purges: new PurgeJobs({ purge: callControl.purge, logger, stopping: stopping.signal }),
    queues: topology,
    stopping: stopping.signal,
    deadLetters,
    resultTtlMs: config.resultTtlMs,
    register,
    functions: shared,
    inspector,
    lanes: topology,
    ratesOf: (name) => rates.of(name),
    durability: () => durability.current?.level ?? 'unknown',
    maxBytesOf,
    ownHosts: new OwnHosts(config.allowedHosts),
    tokens: tokensFile && (() => tokensFile.current),
    callbackPolicy: new CallbackPolicy(config),
    logger,
    version,
    maxBodyBytes: config.maxBodyBytes,
    receipts,
    maxConnections: config.maxConnections,
    spans: tracing.tracer && new CallSpans(tracing.tracer),
    ...overrides,
  });
  warnOfSmallPayload(broker, config, context);
  const depended = { broker, topology, register, shared, durability, watch, stopping: stopping.signal };
  const readiness = () => readinessOf(depended);
  const ops = createOpsServer({ ...opsAddress(config), registry, readiness, logger });
  const service = createService({
    async start() {
      broker.start();
      void followFunctions({ file, shared, logger, signal: stopping.signal });
      const { signal } = stopping;
      startRounds({ topology, admission, room, watch, inspector, rates, receipts, receiptMemory, logger, signal });
      startSweeping(callControl, logger, stopping.signal);
      followTokens(tokensFile, config, logger, stopping.signal);
      await listen(app, config);
      logger.info({ server: 'api', host: config.host, port: portOf(app) }, 'listening');
      await ops.start();
    },
    async stop() {
      stopping.abort();
      durability.stop();
      await stopGateway({ app, receipts, publisher, broker, tracing, ops }, config, logger);
    },
  });
  return withPorts(service, app, ops);
}

/** What notices that streams are lost, and what workers need to find out which calls were in them. */
function buildAudit({ broker, publisher, topology }: ReturnType<typeof buildQueue>, logger: Logger) {
  const watch = new StreamWatch(topology, logger);
  const store = new ReceiptStore(publisher, topology);
  return {
    watch,
    receipts: new AcceptedCallSampler(store, logger),
    receiptMemory: new ReceiptMemory(broker, watch, store),
  };
}

interface MetricsParts extends Pick<ReturnType<typeof buildQueue>, 'register' | 'broker'> {
  readonly watch: StreamWatch;
}

function buildMetrics({ register, broker, watch }: MetricsParts, config: GatewayConfig) {
  const registry = createRegistry();
  const metrics = createMetrics({
    registry,
    isRegistered: (name) => register.isRegistered(name),
    reconnects: () => broker.reconnects,
    connected: () => broker.connected,
    streamsLost: () => watch.lost,
  });
  const bodyBudget = new BodyBudget({ limitBytes: config.maxInflightBytes });
  const resultBudget = new BodyBudget({ limitBytes: config.maxInflightBytes });
  const waiters = new Waiters({ inAll: config.maxWaiters, perToken: config.maxWaitersPerToken });
  showHeld(registry, {
    inflightBytes: () => bodyBudget.usedBytes,
    resultBytes: () => resultBudget.usedBytes,
    waiters: () => waiters.count,
  });
  return { registry, metrics, bodyBudget, resultBudget, waiters };
}

/** The files that the configuration names. All that is wrong with them is told at once. */
function readSettings(config: GatewayConfig, context: GatewayContext) {
  return allConfigured([
    loadFunctionsFile(config, context),
    loadTokens(config),
    checkContradictions(config),
    findSettingProblems(brokerAddress(config)).then(refuseProblems),
  ]);
}

async function checkContradictions(config: GatewayConfig): Promise<void> {
  refuseProblems(contradictions(config));
}

function followTokens(file: TokensFile | undefined, { host }: GatewayConfig, logger: Logger, signal: AbortSignal) {
  if (file !== undefined) {
    void file.follow(logger, signal);
  } else if (!isLoopback(host)) {
    logger.warn({ host }, 'AUTH=none: everyone who reaches the API may do everything');
  }
}

/** What speaks with the broker, and what all processes know. */
function connectParts(
  config: GatewayConfig,
  { logger, version, fail }: GatewayContext,
  file: FunctionsFile | undefined,
) {
  const register = new FunctionRegister();
  const broker = new Broker({
    ...brokerAddress(config),
    name: `asyncfn-gateway ${version}`,
    logger,
    onFatal: fail,
  });
  const limits = toStreamLimits(config.streamMaxBytes);
  const topology = new QueueTopology(broker, {
    replicas: config.streamReplicas,
    limits,
    ackWaitMs: initialAckWaitMs,
    ownsLanes: false,
    isPaused: (name) => register.isPaused(name),
    resultTtlMs: config.resultTtlMs,
    queues: () => new Set([defaultQueue, ...register.list().map((config) => config.queue)]),
    logger,
    onFatal: fail,
  });
  const shared = new SharedRegister({
    broker,
    topology,
    register,
    file: file?.definition ?? withoutFile(config.defaultNamespace),
    logger,
  });
  followDeletedLanes(broker, (lane) => topology.forgetLane(lane.queue, lane.function));
  return { register, broker, limits, topology, shared };
}

function buildQueue(config: GatewayConfig, context: GatewayContext, file: FunctionsFile | undefined) {
  const { logger } = context;
  const { register, broker, limits, topology, shared } = connectParts(config, context, file);
  const room = config.streamMaxBytes.length > 0 ? new StreamRoom(topology) : undefined;
  const timeoutMs = config.publishTimeoutMs * answerInTime;
  const publisher = new Publisher(broker, { timeoutMs, ...(room !== undefined && { room }) });
  const store = new CallStore(publisher, topology);
  const callbacks = new CallbackStore(publisher, topology);
  const namesOf = (name: string): readonly string[] => register.namesOf(name);
  const deadLetters = new DeadLetterStore({ broker, topology, publisher, calls: store, callbacks, namesOf });
  const { idempotencyWindowMs, resultTtlMs } = config;
  const durability = new DurabilityWatch(broker, topology, {
    declaredSyncAlways: config.natsSync === 'always',
    required: config.requireDurability,
    logger,
  });
  const maxBytesOf = (name: string): number | undefined =>
    limitOfQueue(limits, name, shared.queueMaxBytes.get(name) ?? config.queueMaxBytes);
  const admission = new AdmissionControl({ topology, functions: () => register.list(), maxBytes: maxBytesOf });
  const groups = createGroupCommit({ mode: config.groupCommit, broker, topology, publisher, logger });
  const names = new UnregisteredNames({ topology, register, limits: nameLimitsOf(config) });
  const checks = { admission, names, durability, idempotencyWindowMs };
  const queue = new CallQueue({ broker, topology, publisher: groups, register, ...checks });
  const callControl = buildCallControl({ broker, topology, publisher, store, register, resultTtlMs });
  return {
    broker,
    topology,
    publisher,
    queue,
    durability,
    deadLetters,
    register,
    shared,
    admission,
    room,
    maxBytesOf,
    callControl,
  };
}

function nameLimitsOf(config: GatewayConfig): NameLimits {
  return { inAll: config.maxUnregisteredFunctions, perSubmitter: config.maxUnregisteredPerToken };
}

/** A body that NATS does not take is refused all the same; somebody should know that the setting promises too much. */
function warnOfSmallPayload(broker: Broker, config: GatewayConfig, { logger }: GatewayContext): void {
  broker.onConnect((connection) => {
    const largest = maxBodyBytes(connection);
    if (largest < config.maxBodyBytes) {
      logger.warn(
        { maxBodyBytes: config.maxBodyBytes, largest },
        'MAX_BODY_BYTES is more than NATS takes: raise max_payload',
      );
    }
  });
}

interface Depended {
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly register: FunctionRegister;
  readonly shared: SharedRegister;
  readonly durability: DurabilityWatch;
  readonly watch: StreamWatch;
  readonly stopping: AbortSignal;
}

function readinessOf({ broker, topology, register, shared, durability, watch, stopping }: Depended): Readiness {
  return {
    ready:
      !stopping.aborted && broker.connected && topology.usable && shared.complete && durability.shortfall === undefined,
    checks: {
      nats: broker.state,
      topology: topology.usable ? 'in place' : 'pending',
      // No reason not to be ready: what is lost is lost, and new calls can be kept (ADR 42).
      streams: watch.state,
      intake: stopping.aborted ? 'closed' : 'open',
      register: shared.complete ? 'known' : 'pending',
      functions: String(register.list().length),
      durability: durability.current?.level ?? 'unknown',
    },
  };
}

async function listen(app: FastifyInstance, { host, port }: GatewayConfig): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const inUse = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    const why = inUse ? 'the port is in use; choose another with PORT' : String(cause);
    throw new Error(`the API cannot listen on ${host}:${port}: ${why}`, { cause });
  }
}

function withPorts(service: Service, app: FastifyInstance, ops: OpsServer): Gateway {
  return {
    ...service,
    get port() {
      return portOf(app);
    },
    get opsPort() {
      return ops.port;
    },
  };
}

function portOf(app: FastifyInstance): number {
  // An AddressInfo or null: a string only for a server on a pipe.
  const address = app.server.address() as AddressInfo | null;
  if (address === null) {
    throw new Error('the API is not listening');
  }
  return address.port;
}
