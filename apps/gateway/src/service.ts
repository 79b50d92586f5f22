import { followedFunctions } from '@asyncfn/live-functions';
import { CallStore, findSettingProblems, QueueInspector } from '@asyncfn/queue-core/jetstream';
import {
  allConfigured,
  brokerAddress,
  type Component,
  composeService,
  createRegistry,
  type ProcessContext,
  refuseProblems,
  type Service,
  startTracing,
} from '@asyncfn/service-kit';
import { type ApiOptions, createApi } from './api-server.ts';
import { followedTokens, loadTokens } from './auth/index.ts';
import { connectBroker, createBrokerComponent, createPublisherComponent } from './broker/index.ts';
import { contradictions, type GatewayConfig } from './config.ts';
import { createReceipts } from './enqueue/index.ts';
import { loadFile } from './functions-file/index.ts';
import { buildIntake } from './intake/index.ts';
import { createOperations } from './operations.ts';
import { openDirectory } from './processes/index.ts';
import { measureRates } from './queues/index.ts';
import { buildSchedules } from './schedules/index.ts';
import { createSearchComponent } from './search/index.ts';
import { buildCallControl } from './waiting/index.ts';
import { openSecrets } from './webhooks/index.ts';

export type GatewayContext = Pick<ProcessContext, 'logger' | 'version' | 'pid' | 'env' | 'fail'>;

/** Replacements for tests. */
type GatewayOverrides = Pick<ApiOptions, 'limits'>;

export interface Gateway extends Service {
  /** The port of the API. Throws before the start. */
  readonly port: number;
  /** The port of the operations server. Throws before the start. */
  readonly opsPort: number;
}

/**
 * A gateway, from HTTP to JetStream. It starts without waiting for NATS, and answers 503 until NATS is available.
 *
 * @throws ConfigError if the functions file or the tokens file is invalid, or if authentication is not configured
 */
export async function createGateway(
  config: GatewayConfig,
  context: GatewayContext,
  overrides: GatewayOverrides = {},
): Promise<Gateway> {
  const { logger, version } = context;
  const [file, tokens] = await readSettings(config, context);
  const tracing = await startTracing(config, { serviceName: 'asyncfn-gateway', version, logger });
  const stopping = new AbortController();
  const { signal } = stopping;
  const registry = createRegistry();
  const link = connectBroker(config, context, file?.current);
  const { topology, publisher, register, shared } = link;
  const store = new CallStore(publisher, topology, publisher, link.events);
  const intake = buildIntake(link, config, logger);
  const callControl = buildCallControl({ ...link, store, resultTtlMs: config.resultTtlMs, logger });
  const inspector = new QueueInspector(topology, (name) => register.namesOf(name));
  const { rates, component: queueRates } = measureRates(topology, inspector, logger);
  const receipts = createReceipts(link, logger);
  const directory = openDirectory(link, context);
  const webhookSecrets = openSecrets(config, { file, register, logger });
  const schedules = buildSchedules({ config, link, file, logger });
  const parts = {
    config,
    logger,
    version,
    link,
    store,
    intake,
    callControl,
    inspector,
    rates,
    tokens,
    registry,
    directory,
    webhookSecrets,
    schedules,
  };
  const groups = () => file?.current.groups ?? new Map<string, readonly string[]>();
  const traced = { tracer: tracing.tracer, receipts: receipts.sampler, groups };
  const api = createApi({ ...parts, ...traced, stopping: signal, ...overrides });
  const ops = createOperations({ ...link, ...intake, config, registry, logger, stopping: signal });
  // Started in this order and stopped in reverse.
  const components: readonly Component[] = [
    ops.closing,
    { name: 'tracing', stop: { name: 'export traces', timeoutMs: 5_000, run: () => tracing.stop() } },
    createBrokerComponent(link, logger),
    createPublisherComponent(link, config.publishTimeoutMs),
    followedFunctions({ file, shared, logger }),
    webhookSecrets.component,
    schedules.component,
    intake.component,
    queueRates,
    receipts.component,
    callControl.component,
    createSearchComponent(callControl.search, callControl.calls, logger),
    followedTokens(tokens, config.host, logger),
    api.component,
    ops.opening,
  ];
  const service = composeService(components, { name: 'the gateway', logger, stopping });
  return {
    ...service,
    get port() {
      return api.port;
    },
    get opsPort() {
      return ops.port;
    },
  };
}

/** Reads the files that the configuration names, and reports all their problems at once. */
function readSettings(config: GatewayConfig, context: GatewayContext) {
  return allConfigured([
    loadFile(config, context),
    loadTokens(config),
    (async () => refuseProblems(contradictions(config)))(),
    findSettingProblems(brokerAddress(config)).then(refuseProblems),
  ]);
}
