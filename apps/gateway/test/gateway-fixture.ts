import type { AddressInfo } from 'node:net';
import type { Call } from '@asyncfn/queue-core';
import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import { type FunctionConfig, FunctionRegister } from '@asyncfn/queue-core/functions';
import type { AcceptOptions, AcceptResult } from '@asyncfn/queue-core/jetstream';
import { createLogger, OwnHosts, parseConfig } from '@asyncfn/service-kit';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { Registry } from 'prom-client';
import { type AppDependencies, buildApp } from '../src/app.ts';
import { gatewayConfig } from '../src/config.ts';
import type { CallIntake } from '../src/enqueue/accept.ts';
import { BodyBudget } from '../src/http/body-budget.ts';
import { createMetrics } from '../src/metrics.ts';
import { Waiters } from '../src/waiting/waiters.ts';
import { MemoryBatches } from './memory-batches.ts';
import { MemoryEvents } from './memory-events.ts';
import { MemoryFlows } from './memory-flows.ts';
import { MemoryFunctions } from './memory-functions.ts';
import { MemoryQueues } from './memory-queues.ts';
import { MemorySchedules } from './memory-schedules.ts';
import { RecordingBulkCancel } from './recording-bulk-cancel.ts';
import { RecordingCalls, RecordingCanceller, RecordingPurges, RecordingWatches } from './recording-calls.ts';
import { RecordingDeadLetters } from './recording-dead-letters.ts';
import { RecordingSearch } from './recording-search.ts';

/** A queue that records calls, and whose answers a test can change. */
export class RecordingQueue implements CallIntake {
  available = true;
  shortfall: CallIntake['shortfall'];
  readonly accepted: { call: Call; unique: boolean; key: string | undefined; derived: boolean }[] = [];
  /** Called before a call is recorded; its return value is the answer. */
  answer: (call: Call, how: AcceptOptions) => Promise<AcceptResult> | AcceptResult = () => ({
    kind: 'stored',
    sequence: this.accepted.length,
    duplicate: false,
  });

  async accept(call: Call, how: AcceptOptions): Promise<AcceptResult> {
    const { unique, key, derived = false } = how;
    const result = await this.answer(call, how);
    if (result.kind === 'stored') {
      this.accepted.push({ call, unique, key, derived });
    }
    return result;
  }

  /** Why a call of the function is refused. */
  refusalFor: CallIntake['refusalFor'] = () => undefined;

  get last(): Call {
    return this.accepted.at(-1)!.call;
  }
}

export function functionConfig(name: string, queue = 'default'): FunctionConfig {
  const retry = {
    attempts: undefined,
    minWaitMs: undefined,
    maxWaitMs: undefined,
    backoff: undefined,
    codes: undefined,
  };
  return {
    name,
    url: `http://${name}.test`,
    queue,
    timeoutMs: 0,
    concurrency: undefined,
    maxPending: undefined,
    adaptive: true,
    retry,
  };
}

export interface TestGateway extends AsyncDisposable {
  readonly app: FastifyInstance;
  readonly port: number;
  readonly url: string;
  readonly queue: RecordingQueue;
  readonly calls: RecordingCalls;
  readonly watches: RecordingWatches;
  readonly canceller: RecordingCanceller;
  readonly purges: RecordingPurges;
  readonly stopping: AbortController;
  readonly deadLetters: RecordingDeadLetters;
  /** The register as operators see it; calls go by `register`. */
  readonly functions: MemoryFunctions;
  readonly queues: MemoryQueues;
  readonly batches: MemoryBatches;
  readonly search: RecordingSearch;
  readonly flows: MemoryFlows;
  readonly events: MemoryEvents;
  readonly bulk: RecordingBulkCancel;
  readonly registry: Registry;
  /** All routes. */
  readonly routes: readonly RouteOptions[];
  /** Every line of the log, parsed. */
  readonly logs: Record<string, unknown>[];
}

export type GatewayOverrides = Partial<
  Pick<AppDependencies, 'register' | 'webhookSecrets'> &
    AppDependencies['access'] &
    AppDependencies['clients'] &
    Pick<AppDependencies['enqueue'], 'maxBodyBytes'> &
    Pick<AppDependencies, 'consoleFolder' | 'directory'> &
    Pick<AppDependencies['calls'], 'resultBudget' | 'resultTtlMs' | 'waiters'>
>;

/** A gateway with functions `echo` and `hash.prod` on a free port, in front of a queue that only records. */
export async function startTestGateway(
  overrides: GatewayOverrides = {},
  prepare: (app: FastifyInstance) => unknown = () => undefined,
): Promise<TestGateway> {
  const queue = new RecordingQueue();
  const calls = new RecordingCalls();
  const watches = new RecordingWatches();
  const canceller = new RecordingCanceller();
  const purges = new RecordingPurges();
  const stopping = new AbortController();
  const deadLetters = new RecordingDeadLetters();
  const memory = new MemoryFunctions();
  const queues = new MemoryQueues();
  const memoryFlows = new MemoryFlows();
  const events = new MemoryEvents();
  const bulk = new RecordingBulkCancel();
  const registry = new Registry();
  const logs: Record<string, unknown>[] = [];
  const functions = new Map([
    ['echo', functionConfig('echo')],
    ['hash.prod', functionConfig('hash.prod', 'heavy')],
  ]);
  const memoryBatches = new MemoryBatches();
  const search = new RecordingSearch();
  const app = buildApp({
    directory: overrides.directory ?? { list: async () => [] },
    consoleFolder: 'consoleFolder' in overrides ? overrides.consoleFolder : '/nowhere',
    register: overrides.register ?? new FunctionRegister({ functions, fallback: undefined }),
    functions: memory,
    enqueue: {
      queue,
      callbackPolicy: new CallbackPolicy(parseConfig(gatewayConfig, {})),
      receipts: { note: () => undefined },
      maxBodyBytes: overrides.maxBodyBytes ?? 1024 * 1024,
    },
    batches: {
      batches: memoryBatches.batches,
      store: memoryBatches.store,
      limits: { maxCalls: 10_000, maxBytes: 64 * 1024 * 1024, maxDocumentBytes: 48 * 1024 * 1024 },
      idempotencyWindowMs: 86_400_000,
    },
    webhookRatePerAddress: { requests: 1_000, windowMs: 1_000 },
    webhookSecrets: overrides.webhookSecrets ?? { keysOf: () => [], problemsOf: async () => [] },
    calls: {
      calls,
      results: calls,
      bodies: calls.bodies,
      resultBudget: overrides.resultBudget ?? new BodyBudget({ limitBytes: 64 * 1024 * 1024 }),
      watches,
      waiters: overrides.waiters ?? new Waiters({ inAll: 100, perToken: 10 }),
      canceller,
      stopping: stopping.signal,
      resultTtlMs: overrides.resultTtlMs ?? 3_600_000,
    },
    queues: {
      inspector: queues,
      ratesOf: () => ({ inPerSecond: 2.5, outPerSecond: 2 }),
      durability: () => 'quorum',
      maxBytesOf: (name) => (name === 'images' ? 4096 : undefined),
    },
    schedules: new MemorySchedules().dependencies,
    flows: memoryFlows.admin,
    lanes: memory,
    purges: { jobs: purges, queues: { listQueues: async () => ['default', 'heavy'] } },
    deadLetters,
    search,
    bulkCancel: bulk.dependencies,
    events: { subscribe: (listener) => events.subscribe(listener) },
    eraser: { erase: async (_, state) => ({ kind: state === undefined ? 'unknown' : 'erased' }) },
    // Most tests use a host name of servers for it.
    access: { tokens: overrides.tokens, ownHosts: overrides.ownHosts ?? new OwnHosts([{ kind: 'any' }]) },
    clients: { bodyBudget: new BodyBudget({ limitBytes: 64 * 1024 * 1024 }), ...overrides },
    metrics: createMetrics({
      registry,
      isRegistered: (name) => functions.has(name),
      reconnects: () => 3,
      connected: () => true,
      streamsLost: () => 0,
    }),
    logger: createLogger({
      name: 'gateway',
      level: 'debug',
      format: 'json',
      destination: { write: (line) => void logs.push(JSON.parse(line)) },
    }),
    version: '1.2.3',
  });
  const routes: RouteOptions[] = [];
  app.addHook('onRoute', (route) => void routes.push(route));
  prepare(app);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    app,
    port,
    url: `http://127.0.0.1:${port}`,
    queue,
    calls,
    watches,
    canceller,
    purges,
    stopping,
    deadLetters,
    functions: memory,
    queues,
    flows: memoryFlows,
    events,
    bulk,
    batches: memoryBatches,
    search,
    registry,
    routes,
    logs,
    async [Symbol.asyncDispose]() {
      const closed = app.close();
      app.server.closeAllConnections();
      await closed;
    },
  };
}
