import { type Env, type FunctionEntries, startStack } from '@asyncfn/stack';
import { purgeStream } from '../references/index.ts';
import type { RunOptions, System, SystemOptions } from './system.ts';

export interface AsyncfnOptions extends SystemOptions, RunOptions {
  readonly gatewayEnv?: Env;
  readonly workerEnv?: Env;
  /** Number of workers. Default 1. */
  readonly workers?: number;
  /** Functions that share the calls evenly. Default 1. */
  readonly functions?: number;
}

/** asyncfn, with what the references do not have. */
export interface AsyncfnSystem extends System {
  readonly natsUrl: string;
  readonly gatewayUrl: string;
  /** Names of the functions. */
  readonly functions: readonly string[];
  /** The metrics of each process. */
  readonly metricsUrls: readonly string[];
  /** Removes the waiting calls of one function. */
  purgeFunction(name: string): Promise<void>;
}

/** A URL without a server, for calls that are never invoked. */
const nowhere = 'http://127.0.0.1:9';

/** Gateway and workers as they are shipped, logging at info into files, with results and metrics on. */
export async function startAsyncfn(options: AsyncfnOptions): Promise<AsyncfnSystem> {
  const { natsServerBin, syncInterval, worker, gatewayEnv = {}, workerEnv = {} } = options;
  const names = Array.from({ length: options.functions ?? 1 }, (_, index) => `echo-${index}`);
  const entries: FunctionEntries = Object.fromEntries(names.map((name) => [name, worker?.functionUrl ?? nowhere]));
  const stack = await startStack({
    natsServerBin,
    functions: entries,
    workers: worker === undefined ? 0 : (options.workers ?? 1),
    logs: 'file',
    gatewayEnv,
    workerEnv: { ...(worker !== undefined && { MAX_INFLIGHT: String(worker.slots) }), ...workerEnv },
    ...(syncInterval !== undefined && { natsSyncInterval: syncInterval }),
  });
  const { nats, gateway, workers } = stack;
  const stream = 'CALLS_default';
  return {
    intake: { port: Number(new URL(gateway.url).port), paths: names.map((name) => `/async-function/${name}`) },
    pids: { gateway: gateway.pid, broker: nats.pid },
    workerPids: workers.map(({ pid }) => pid),
    natsUrl: nats.url,
    gatewayUrl: gateway.url,
    functions: names,
    metricsUrls: [gateway, ...workers].map(({ opsAddress }) => `http://${opsAddress}/metrics`),
    purge: () => purgeStream(nats.url, stream),
    purgeFunction: (name) => purgeStream(nats.url, stream, `calls.default.*.*.${name}.>`),
    [Symbol.asyncDispose]: () => stack[Symbol.asyncDispose](),
  };
}
