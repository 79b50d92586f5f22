import { startProgram } from '../processes/index.ts';
import type { Absence } from '../scenario.ts';
import { redisAbsence, startRedisServer } from './redis-server.ts';
import type { RunOptions, System } from './system.ts';

/**
 * How much a system with BullMQ does: `minimal` only runs calls; `equal` also does what asyncfn does for each call: it
 * keeps the function's answer for an hour by call id, sends the caller's headers to the function, writes a log line in
 * each process, and observes counters and histograms.
 */
export type BullmqScope = 'minimal' | 'equal';

export interface BullmqSettings {
  readonly scope: BullmqScope;
  /** Path of redis's socket. */
  readonly socket: string;
  readonly queue: string;
  /** The file that an `equal` system appends its log lines to. */
  readonly logFile: string;
}

export interface BullmqWorkerSettings extends BullmqSettings {
  readonly functionUrl: string;
  readonly slots: number;
}

/** fastify and BullMQ on redis, or the reason why they cannot run. */
export async function startBullmq(scope: BullmqScope, { worker }: RunOptions = {}): Promise<System | Absence> {
  const absent = await redisAbsence();
  if (absent !== undefined) {
    return { absent };
  }
  const redis = await startRedisServer();
  const settings: BullmqSettings = {
    scope,
    socket: redis.socket,
    queue: 'calls',
    logFile: `${redis.folder}/calls.log`,
  };
  const gateway = await startProgram<{ port: number }>(
    new URL('../references/bullmq-gateway-main.js', import.meta.url),
    settings,
  );
  const workers = worker === undefined ? [] : [await startWorker({ ...settings, ...worker })];
  return {
    intake: { port: gateway.said.port, paths: ['/async-function/echo'] },
    pids: { gateway: gateway.pid, broker: redis.pid },
    workerPids: workers.map(({ pid }) => pid),
    purge: () => redis.flush(),
    async [Symbol.asyncDispose]() {
      await Promise.all([gateway, ...workers].map((each) => each[Symbol.asyncDispose]()));
      await redis[Symbol.asyncDispose]();
    },
  };
}

function startWorker(settings: BullmqWorkerSettings) {
  return startProgram<object>(new URL('../references/bullmq-worker-main.js', import.meta.url), settings);
}
