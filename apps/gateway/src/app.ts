import { createServer } from 'node:http';
import { createCallId } from '@asyncfn/queue-core';
import type { FunctionConfig, FunctionRegister } from '@asyncfn/queue-core/functions';
import { answerHalfClosed, type Logger } from '@asyncfn/service-kit';
import { type FastifyInstance, fastify } from 'fastify';
import { apiDescription, healthRoutes, rootRoutes } from './api/index.ts';
import { type AuthenticationOptions, authentication, requireScopes } from './auth/index.ts';
import {
  type BatchOptions,
  BatchPlaces,
  type BatchResourceOptions,
  batchResource,
  batchRoutes,
  createGroupIntake,
  type Groups,
} from './batches/index.ts';
import { type BulkCancelOptions, bulkCancelRoutes } from './bulk-cancel/index.ts';
import { type CallOptions, callRoutes } from './calls/index.ts';
import { consoleRoutes } from './console/index.ts';
import { type DeadLetterAdmin, deadLetterRoutes } from './dead-letters/index.ts';
import { createStartTimeClock, type EnqueueOptions, enqueueRoutes } from './enqueue/index.ts';
import { type ErasingOptions, erasingRoutes } from './erasing/index.ts';
import { type CallEventOptions, callEventRoutes } from './events/index.ts';
import { type FlowOptions, flowRoutes } from './flows/index.ts';
import { type FunctionAdmin, type FunctionOptions, functionRoutes } from './functions/index.ts';
import {
  type BodyBudget,
  compileSchemasOnFirstUse,
  connectionLimit,
  createClientErrorHandler,
  createFrameworkErrorHandler,
  createTunnelHandler,
  gracefulClose,
  httpRules,
  isEnqueue,
  isWebhook,
  RequestSequencer,
  refusals,
  requestMetrics,
  toRoutedUrl,
  unknownRoutes,
} from './http/index.ts';
import type { GatewayMetrics } from './metrics.ts';
import { ResultWaits } from './prefer/index.ts';
import { brokerAway, RefusalError } from './problem.ts';
import { type ProcessOptions, processRoutes } from './processes/index.ts';
import { type PurgeOptions, purgeRoutes } from './purge/index.ts';
import { type QueueOptions, queueRoutes } from './queues/index.ts';
import { type ScheduleOptions, scheduleRoutes } from './schedules/index.ts';
import { type SearchRouteOptions, searchRoutes } from './search/index.ts';
import { createLists } from './waiting/index.ts';
import { partners, type WebhookOptions, webhookRoutes } from './webhooks/index.ts';

export interface AppDependencies {
  /** The functions that exist. */
  readonly register: Pick<FunctionRegister, 'lookup' | 'resolve' | 'namesOf' | 'list' | 'onChange'>;
  /** The same, for operators. */
  readonly functions: FunctionAdmin;
  readonly enqueue: Pick<EnqueueOptions, 'queue' | 'callbackPolicy' | 'receipts' | 'spans' | 'maxBodyBytes' | 'large'>;
  readonly batches: Pick<BatchOptions, 'store' | 'limits' | 'idempotencyWindowMs'> & {
    readonly batches: BatchOptions['batches'] & BatchResourceOptions['batches'];
  };
  /** The secrets that partners sign with. */
  readonly webhookSecrets: WebhookOptions['secrets'] & FunctionOptions['webhookSecrets'];
  /** Requests to `/webhook/` of one public address. */
  readonly webhookRatePerAddress: WebhookOptions['ratePerAddress'];
  /** The groups of the functions file. Default: none. */
  readonly groups?: () => Groups;
  readonly calls: Omit<CallOptions, 'places' | 'lookup' | 'names' | 'logger'> & Pick<BatchResourceOptions, 'watches'>;
  readonly queues: Pick<QueueOptions, 'ratesOf' | 'maxBytesOf' | 'durability'> & {
    readonly inspector: FunctionOptions['inspector'] & QueueOptions['inspector'];
  };
  readonly schedules: Pick<ScheduleOptions, 'schedules' | 'runs'>;
  readonly flows: FlowOptions['flows'];
  readonly lanes: FunctionOptions['lanes'];
  readonly purges: Pick<PurgeOptions, 'jobs' | 'queues'>;
  readonly deadLetters: DeadLetterAdmin;
  readonly eraser: ErasingOptions['eraser'];
  readonly search: SearchRouteOptions['search'];
  readonly events: Pick<CallEventOptions, 'subscribe'>;
  readonly bulkCancel: Pick<BulkCancelOptions, 'living' | 'canceller'>;
  readonly access: AuthenticationOptions;
  /** The processes that are connected. */
  readonly directory: ProcessOptions['directory'];
  /** Where the built console is; undefined if the gateway does not serve it. */
  readonly consoleFolder: string | undefined;
  readonly clients: ClientOptions;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  /** Version of the gateway, for the API's description. */
  readonly version: string;
  /** Unix time in milliseconds, by the broker's clock. Default `Date.now`. */
  readonly now?: () => number;
}

/** The limits of what clients may use. */
interface ClientOptions {
  /** The budget for the bodies of all requests. */
  readonly bodyBudget: BodyBudget;
  /** Maximum number of connections. Default 16,384. */
  readonly maxConnections?: number;
  /** Time limits. */
  readonly limits?: Partial<ClientLimits> | undefined;
}

export interface ClientLimits {
  /**
   * For a whole request to arrive, in milliseconds. Default 300,000, which allows slow clients, or a second for each MiB of
   * the largest body, if that is more.
   */
  readonly requestTimeoutMs: number;
  /** For its headers to arrive, in milliseconds. Default 60,000. */
  readonly headersTimeoutMs: number;
  /** For the next request on a connection, in milliseconds. Default 72,000: longer than load balancers' usual 60 s. */
  readonly keepAliveTimeoutMs: number;
  /** How often the times above are checked, in milliseconds. Default 30,000. */
  readonly checkIntervalMs: number;
}

const defaultLimits: ClientLimits = {
  requestTimeoutMs: 300_000,
  headersTimeoutMs: 60_000,
  keepAliveTimeoutMs: 72_000,
  checkIntervalMs: 30_000,
};

function timeFor(largestBody: number): Pick<ClientLimits, 'requestTimeoutMs'> {
  return { requestTimeoutMs: Math.max(defaultLimits.requestTimeoutMs, Math.ceil(largestBody / 1_048_576) * 1_000) };
}

const defaultMaxConnections = 16_384;

/** Limit in bytes for request line and headers together, however many they are. */
const maxHeaderBytes = 16 * 1024;

/** The gateway's HTTP API, ready to listen. */
export function buildApp(deps: AppDependencies): FastifyInstance {
  const { register: names, functions, queues, metrics, logger, now = Date.now } = deps;
  const lookup = (name: string): FunctionConfig | undefined => deps.register.lookup(name);
  /** For answers that depend on what the function is, or on whether it exists. */
  const lookupKnown = (name: string): FunctionConfig | undefined => {
    if (!functions.complete) {
      throw new RefusalError(brokerAway);
    }
    return lookup(name);
  };
  const app = createInstance(deps);
  registerCommon(app, deps);
  registerOwn(app, deps);
  const startTime = createStartTimeClock({ now });
  const accepting = {
    ...deps.enqueue,
    lookup,
    names,
    knowsAll: () => functions.complete,
    now,
    startTime,
    metrics,
    logger,
  };
  const { calls } = deps.calls;
  const batches: BatchOptions = {
    ...accepting,
    ...deps.batches,
    places: new BatchPlaces(),
    calls,
    onStored: (call) => {
      metrics.callStarted(call.function);
      metrics.callSubmitted(call.queue);
      deps.enqueue.receipts.note(call);
    },
  };
  const { groups = () => new Map() } = deps;
  const waits = new ResultWaits({ ...deps.calls, logger });
  app.register(enqueueRoutes, { ...accepting, createCallId, groups: createGroupIntake(batches, groups), waits });
  app.register(batchRoutes, batches);
  const secrets = deps.webhookSecrets;
  const ratePerAddress = deps.webhookRatePerAddress;
  app.register(webhookRoutes, { ...accepting, createCallId, register: deps.register, secrets, ratePerAddress });
  // Who may see a call depends on the names of its function.
  const places = {
    get available() {
      return calls.available && functions.complete;
    },
  };
  app.register(callRoutes, { ...deps.calls, places, lookup, names, logger });
  app.register(batchResource, { ...deps.calls, ...deps.batches, places, names, logger });
  app.register(callEventRoutes, { ...deps.events, ...deps.calls, lookup, names });
  const lists = createLists(deps.calls.resultBudget);
  const known = { lookup: lookupKnown, names };
  app.register(purgeRoutes, { ...deps.purges, ...known, calls });
  const isGroup = (name: string): boolean => groups().has(name);
  const { inspector } = queues;
  const ofFunctions = { functions, names, isGroup, inspector, lanes: deps.lanes, purges: deps.purges.jobs, logger };
  app.register(functionRoutes, { ...ofFunctions, webhookSecrets: secrets, maxBodyBytes: accepting.maxBodyBytes });
  app.register(scheduleRoutes, { ...batches, ...deps.schedules, lists });
  app.register(flowRoutes, { flows: deps.flows, ...known, tokens: deps.access.tokens, places, lists, logger });
  app.register(queueRoutes, { ...queues, ...known, lists, now });
  app.register(erasingRoutes, { calls, eraser: deps.eraser, names, places, logger });
  app.register(bulkCancelRoutes, { ...deps.bulkCancel, names, places, stopping: deps.calls.stopping, logger });
  app.register(searchRoutes, { search: deps.search, lookup, names, places, lists });
  app.register(deadLetterRoutes, { ...known, lists, deadLetters: deps.deadLetters, logger });
  return app;
}

/** What all routes have in common. */
function registerCommon(app: FastifyInstance, { clients, metrics, logger, access }: AppDependencies): void {
  requireScopes(app);
  app.decorate('bodyBudget', clients.bodyBudget);
  app.decorateRequest('incoming', null);
  app.register(refusals, { logger, metrics });
  app.register(connectionLimit, { maxConnections: clients.maxConnections ?? defaultMaxConnections, metrics, logger });
  app.register(httpRules);
  app.register(unknownRoutes);
  app.register(requestMetrics, { metrics });
  app.register(gracefulClose);
  app.register(authentication, access);
}

/** What is about the gateway itself: the API's description, its health, the console, and the processes beside it. */
function registerOwn(app: FastifyInstance, { access, version, consoleFolder, directory }: AppDependencies): void {
  const needsToken = access.tokens !== undefined;
  app.register(apiDescription, { version, needsToken });
  app.register(healthRoutes);
  app.register(rootRoutes, { version, hasConsole: consoleFolder !== undefined });
  app.register(consoleRoutes, { version, needsToken, folder: consoleFolder });
  app.register(processRoutes, { directory });
}

function createInstance({ metrics, logger, enqueue, clients }: AppDependencies): FastifyInstance {
  const limits = { ...defaultLimits, ...timeFor(enqueue.large?.maxBytes ?? 0), ...clients.limits };
  const { requestTimeoutMs, headersTimeoutMs, keepAliveTimeoutMs, checkIntervalMs } = limits;
  const app: FastifyInstance = fastify({
    // Fastify would log whole requests, and create a logger for each. The gateway logs what it needs itself (P9).
    logger: false,
    serverFactory: (toRoutes) => {
      const turns = new RequestSequencer({
        handle: (request, response) =>
          isEnqueue(request) ? app.enqueue(request, response) : toRoutes(request, response),
        isParallel: isEnqueue,
        submitterOf: (request) => (isWebhook(request) ? partners : app.gatekeeper.submitterOf(request)),
        onOverflow: () => logger.info('connection closed, it has too many waiting requests'),
      });
      return createServer(
        {
          requestTimeout: requestTimeoutMs,
          headersTimeout: headersTimeoutMs,
          keepAliveTimeout: keepAliveTimeoutMs,
          connectionsCheckingInterval: checkIntervalMs,
          maxHeaderSize: maxHeaderBytes,
          // Node's own answer would have no problem body. See checkForm.
          requireHostHeader: false,
        },
        (request, response) => turns.take(request, response),
      );
    },
    bodyLimit: enqueue.maxBodyBytes,
    forceCloseConnections: 'idle',
    // See gracefulClose.
    return503OnClosing: false,
    genReqId: () => '',
    // A call id is longer than the default.
    routerOptions: { maxParamLength: 128 },
    rewriteUrl: ({ url, method }) => toRoutedUrl(url ?? '', method),
    frameworkErrors: createFrameworkErrorHandler({ logger, metrics }),
    clientErrorHandler: createClientErrorHandler(logger, metrics),
  });
  compileSchemasOnFirstUse(app);
  app.removeAllContentTypeParsers();
  answerHalfClosed(app.server);
  // Node would silently drop the headers beyond 2,000; their size is limited above.
  app.server.maxHeadersCount = 0;
  // Node would silently close the connection.
  app.server.on('connect', createTunnelHandler(logger, metrics));
  // A client that waits for "100 Continue" gets it, or its refusal, once its headers are checked.
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response));
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  return app;
}
