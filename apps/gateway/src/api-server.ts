import type { AddressInfo } from 'node:net';
import type { Call } from '@asyncfn/queue-core';
import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import {
  BatchStore,
  CallbackStore,
  type CallStore,
  DeadLetterStore,
  EventSubscription,
  type ProcessDirectory,
  type QueueInspector,
} from '@asyncfn/queue-core/jetstream';
import { type Component, type Logger, OwnHosts, type Tracing } from '@asyncfn/service-kit';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { buildApp, type ClientLimits } from './app.ts';
import type { TokensFile } from './auth/index.ts';
import type { Groups } from './batches/index.ts';
import { buildLargeBodies } from './bodies/index.ts';
import type { BrokerLink } from './broker/index.ts';
import { type GatewayConfig, wholeBodyBytes } from './config.ts';
import { consoleFolder } from './console/index.ts';
import { CallSpans, type Receipts } from './enqueue/index.ts';
import { FlowAdmin } from './flows/index.ts';
import { BodyBudget, roomForLarge } from './http/index.ts';
import type { Intake } from './intake/index.ts';
import { createMetrics, showBodyStore, showHeld } from './metrics.ts';
import { PurgeJobs } from './purge/index.ts';
import type { QueueRates } from './queues/index.ts';
import type { Schedules } from './schedules/index.ts';
import { type CallControl, Waiters } from './waiting/index.ts';
import type { WebhookSecrets } from './webhooks/index.ts';

export interface ApiOptions {
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly version: string;
  readonly link: BrokerLink;
  readonly store: CallStore;
  readonly intake: Pick<Intake, 'queue' | 'durability' | 'maxBytesOf'>;
  readonly callControl: CallControl;
  readonly inspector: QueueInspector;
  readonly rates: QueueRates;
  readonly schedules: Pick<Schedules, 'resource'>;
  readonly receipts: Receipts['sampler'];
  readonly webhookSecrets: WebhookSecrets;
  /** The groups of the functions file as it is now. */
  readonly groups: () => Groups;
  /** Undefined for an open gateway. */
  readonly tokens: TokensFile | undefined;
  readonly tracer: Tracing['tracer'];
  readonly registry: Registry;
  /** The processes that are connected. */
  readonly directory: ProcessDirectory;
  readonly stopping: AbortSignal;
  readonly limits?: Partial<ClientLimits> | undefined;
}

/** The API, which listens once it is started. */
export interface Api {
  /** The port in use. Throws before the start. */
  readonly port: number;
  readonly component: Component;
}

export function createApi(options: ApiOptions): Api {
  const { config, logger, link, store, intake, callControl, rates, tokens, tracer, stopping, limits } = options;
  const { topology, register, shared } = link;
  const { now } = link.broker.clock;
  const { metrics, bodyBudget, resultBudget, waiters } = buildClientLimits(options);
  const { large, room } = buildLargeBodies({ link, config, store, bodyBudget, logger });
  showBodyStore(options.registry, room);
  const deadLetters = new DeadLetterStore({
    ...link,
    calls: store,
    now,
    callbacks: new CallbackStore(link.publisher, topology),
    namesOf: (name) => register.namesOf(name),
  });
  const app = buildApp({
    register,
    functions: shared,
    enqueue: {
      queue: intake.queue,
      callbackPolicy: new CallbackPolicy(config),
      receipts: { note: (call) => noteAccepted(options, call) },
      spans: tracer && new CallSpans(tracer),
      maxBodyBytes: wholeBodyBytes(config),
      large,
    },
    batches: {
      batches: new BatchStore(link.publisher, topology),
      store,
      limits: {
        maxCalls: config.maxBatchCalls,
        maxBytes: config.maxBatchBytes,
        maxDocumentBytes: Math.min(config.maxBatchBytes, roomForLarge(config.maxInflightBytes)),
      },
      idempotencyWindowMs: config.idempotencyWindowMs,
    },
    webhookSecrets: options.webhookSecrets,
    webhookRatePerAddress: config.webhookRatePerAddress,
    groups: options.groups,
    calls: { ...callControl, resultBudget, waiters, stopping, resultTtlMs: config.resultTtlMs },
    queues: {
      inspector: options.inspector,
      ratesOf: (name) => rates.of(name),
      durability: () => intake.durability.current?.level ?? 'unknown',
      maxBytesOf: intake.maxBytesOf,
    },
    schedules: options.schedules.resource,
    flows: new FlowAdmin(link),
    lanes: topology,
    purges: { jobs: new PurgeJobs({ purge: callControl.purge, logger, stopping }), queues: topology },
    deadLetters,
    eraser: callControl.createEraser(deadLetters),
    search: callControl.search,
    bulkCancel: { living: callControl.living, canceller: callControl.callCanceller },
    events: { subscribe: (listener) => new EventSubscription(link.broker, listener) },
    access: { tokens: tokens && (() => tokens.current), ownHosts: new OwnHosts(config.allowedHosts) },
    directory: options.directory,
    consoleFolder: config.console === 'on' ? consoleFolder() : undefined,
    clients: { bodyBudget, maxConnections: config.maxConnections, limits },
    metrics,
    logger,
    version: options.version,
    now,
  });
  return {
    get port() {
      return portOf(app);
    },
    component: createApiComponent(app, config, logger),
  };
}

/** Each accepted call, single or of a batch. */
function noteAccepted({ receipts, link }: ApiOptions, call: Call): void {
  receipts.note(call);
  link.events.accepted(call);
}

/** The limits for clients, and the metrics that show their use. */
function buildClientLimits({ config, registry, link, callControl }: ApiOptions) {
  const { register, broker, watch } = link;
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
    searchEntries: () => callControl.search.size,
  });
  return { metrics, bodyBudget, resultBudget, waiters };
}

type Listening = Pick<GatewayConfig, 'host' | 'port' | 'shutdownTimeoutMs'>;

/** Exported for tests. */
export function createApiComponent(
  app: Pick<FastifyInstance, 'listen' | 'close' | 'server'>,
  { host, port, shutdownTimeoutMs }: Listening,
  logger: Logger,
): Component {
  return {
    name: 'api',
    async start() {
      await listen(app, host, port);
      logger.info({ server: 'api', host, port: portOf(app) }, 'listening');
    },
    stop: { name: 'finish requests', timeoutMs: shutdownTimeoutMs, run: (signal) => close(app, signal) },
  };
}

async function listen(app: Pick<FastifyInstance, 'listen'>, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (cause) {
    const inUse = cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE';
    const why = inUse ? 'the port is in use; choose another with PORT' : String(cause);
    throw new Error(`the API cannot listen on ${host}:${port}: ${why}`, { cause });
  }
}

/** Answers each request in flight (P8), unless the time is up. */
async function close(app: Pick<FastifyInstance, 'close' | 'server'>, signal: AbortSignal): Promise<void> {
  signal.addEventListener('abort', () => app.server.closeAllConnections(), { once: true });
  await app.close();
}

function portOf({ server }: Pick<FastifyInstance, 'server'>): number {
  // An AddressInfo or null: a string only for a server on a pipe.
  const address = server.address() as AddressInfo | null;
  if (address === null) {
    throw new Error('the API is not listening');
  }
  return address.port;
}
