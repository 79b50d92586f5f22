import { createServer } from 'node:http';
import { createCallId } from '@asyncfn/queue-core';
import type { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import type { FunctionConfig, FunctionRegister } from '@asyncfn/queue-core/functions';
import { answerHalfClosed, type Logger, type OwnHosts } from '@asyncfn/service-kit';
import type { Token } from '@asyncfn/tokens';
import { type FastifyInstance, fastify } from 'fastify';
import { apiDescription, healthRoutes } from './api/index.ts';
import { authentication, type CallLookup, requireScopes } from './auth/index.ts';
import { type CallOptions, callRoutes } from './calls/index.ts';
import { type DeadLetterAdmin, deadLetterRoutes } from './dead-letters/index.ts';
import {
  type AcceptedCallSampler,
  type CallIntake,
  type CallSpans,
  createStartTimeClock,
  enqueueRoutes,
} from './enqueue/index.ts';
import { type FunctionAdmin, type FunctionOptions, functionRoutes } from './functions/index.ts';
import {
  type BodyBudget,
  connectionLimit,
  createClientErrorHandler,
  createFrameworkErrorHandler,
  createTunnelHandler,
  gracefulClose,
  httpRules,
  isEnqueue,
  RequestSequencer,
  refusals,
  requestMetrics,
  toRoutedUrl,
  unknownRoutes,
} from './http/index.ts';
import type { GatewayMetrics } from './metrics.ts';
import { brokerAway, RefusalError } from './problem.ts';
import { type PurgeOptions, purgeRoutes } from './purge/index.ts';
import { type QueueOptions, queueRoutes } from './queues/index.ts';
import { createListTurns } from './waiting/index.ts';

export interface AppDependencies {
  readonly queue: CallIntake;
  readonly calls: CallLookup;
  readonly results: CallOptions['results'];
  readonly watches: CallOptions['watches'];
  readonly waiters: CallOptions['waiters'];
  readonly canceller: CallOptions['canceller'];
  readonly purges: PurgeOptions['jobs'];
  readonly queues: PurgeOptions['queues'];
  readonly deadLetters: DeadLetterAdmin;
  /** The functions that exist. */
  readonly register: Pick<FunctionRegister, 'lookup' | 'resolve' | 'namesOf'>;
  /** The same, for operators. */
  readonly functions: FunctionAdmin;
  readonly inspector: FunctionOptions['inspector'] & QueueOptions['inspector'];
  readonly ratesOf: QueueOptions['ratesOf'];
  readonly maxBytesOf: QueueOptions['maxBytesOf'];
  readonly durability: QueueOptions['durability'];
  readonly lanes: FunctionOptions['lanes'];
  /** The current tokens. Default: none, the API is open. */
  readonly tokens?: (() => readonly Token[]) | undefined;
  /** The names by which a gateway without tokens may be called. */
  readonly ownHosts: OwnHosts;
  /** Decides where results may be sent. */
  readonly callbackPolicy: Pick<CallbackPolicy, 'objectTo'>;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  /** Version of the gateway, for the API's description. */
  readonly version: string;
  /** Largest body of a call, in bytes. */
  readonly maxBodyBytes: number;
  /** How long results are available, in milliseconds; 0 means not at all. */
  readonly resultTtlMs: number;
  /** Aborts when the gateway stops. */
  readonly stopping: AbortSignal;
  /** The budget for the bodies of all requests. */
  readonly bodyBudget: BodyBudget;
  readonly resultBudget: CallOptions['resultBudget'];
  /** Maximum number of connections. Default 16,384. */
  readonly maxConnections?: number;
  /** Records each accepted call. */
  readonly receipts: Pick<AcceptedCallSampler, 'note'>;
  /** Undefined if tracing is off. */
  readonly spans?: CallSpans | undefined;
  /** Time limits for clients. */
  readonly limits?: Partial<ClientLimits>;
}

export interface ClientLimits {
  /** For a whole request to arrive, in milliseconds. Default 300,000, which allows slow clients. */
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

const defaultMaxConnections = 16_384;

/** Limit in bytes for request line and headers together, however many they are. */
const maxHeaderBytes = 16 * 1024;

/** The gateway's HTTP API, ready to listen. */
export function buildApp(deps: AppDependencies): FastifyInstance {
  const { metrics, logger, version, tokens, register: names } = deps;
  const lookup = (name: string): FunctionConfig | undefined => deps.register.lookup(name);
  /** For answers that depend on what the function is, or on whether it exists. */
  const lookupKnown = (name: string): FunctionConfig | undefined => {
    if (!deps.functions.complete) {
      throw new RefusalError(brokerAway);
    }
    return lookup(name);
  };
  const app = createInstance(deps);
  requireScopes(app);
  app.decorate('bodyBudget', deps.bodyBudget);
  app.decorateRequest('incoming', null);
  app.register(refusals, { logger, metrics });
  app.register(connectionLimit, { maxConnections: deps.maxConnections ?? defaultMaxConnections, metrics, logger });
  app.register(httpRules);
  app.register(unknownRoutes);
  app.register(requestMetrics, { metrics });
  app.register(gracefulClose);
  app.register(authentication, { tokens, ownHosts: deps.ownHosts });
  app.register(apiDescription, { version, needsToken: tokens !== undefined });
  app.register(healthRoutes);
  app.register(enqueueRoutes, {
    queue: deps.queue,
    lookup,
    names,
    knowsAll: () => deps.functions.complete,
    createCallId,
    callbackPolicy: deps.callbackPolicy,
    startTime: createStartTimeClock(),
    receipts: deps.receipts,
    metrics,
    logger,
    maxBodyBytes: deps.maxBodyBytes,
    spans: deps.spans,
  });
  const { calls, results, resultBudget, watches, waiters, canceller, stopping, resultTtlMs } = deps;
  // Who may see a call depends on the names of its function.
  const places = {
    get available() {
      return calls.available && deps.functions.complete;
    },
  };
  app.register(callRoutes, {
    places,
    calls,
    results,
    resultBudget,
    watches,
    waiters,
    canceller,
    lookup,
    names,
    logger,
    stopping,
    resultTtlMs,
  });
  app.register(purgeRoutes, { jobs: deps.purges, queues: deps.queues, calls, lookup: lookupKnown, names });
  const { functions, inspector, lanes } = deps;
  app.register(functionRoutes, { functions, names, inspector, lanes, purges: deps.purges, logger });
  const { ratesOf, maxBytesOf, durability } = deps;
  const lists = createListTurns();
  const listed = { lookup: lookupKnown, names, lists };
  app.register(queueRoutes, { ...listed, inspector, ratesOf, maxBytesOf, durability, now: Date.now });
  app.register(deadLetterRoutes, { ...listed, deadLetters: deps.deadLetters, logger });
  return app;
}

function createInstance({ metrics, logger, maxBodyBytes, limits }: AppDependencies): FastifyInstance {
  const { requestTimeoutMs, headersTimeoutMs, keepAliveTimeoutMs, checkIntervalMs } = { ...defaultLimits, ...limits };
  const app: FastifyInstance = fastify({
    // Fastify would log whole requests, and create a logger for each. The gateway logs what it needs itself (P9).
    logger: false,
    serverFactory: (toRoutes) => {
      const turns = new RequestSequencer({
        handle: (request, response) =>
          isEnqueue(request) ? app.enqueue(request, response) : toRoutes(request, response),
        isParallel: isEnqueue,
        submitterOf: (request) => app.gatekeeper.submitterOf(request),
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
    bodyLimit: maxBodyBytes,
    forceCloseConnections: 'idle',
    // See gracefulClose.
    return503OnClosing: false,
    genReqId: () => '',
    // A call id is longer than the default.
    routerOptions: { maxParamLength: 128 },
    // A misspelt parameter is an error instead of being ignored.
    ajv: { customOptions: { removeAdditional: false } },
    rewriteUrl: ({ url, method }) => toRoutedUrl(url ?? '', method),
    frameworkErrors: createFrameworkErrorHandler({ logger, metrics }),
    clientErrorHandler: createClientErrorHandler(logger, metrics),
  });
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
