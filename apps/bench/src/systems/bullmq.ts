import { startProgram } from '../processes/index.ts';
import type { Absence } from '../scenario.ts';
import { redisAbsence, startRedisServer } from './redis-server.ts';
import type { RunOptions, System } from './system.ts';

export interface BullmqSettings {
  /** Path of redis's socket. */
  readonly socket: string;
  readonly queue: string;
}

export interface BullmqWorkerSettings extends BullmqSettings {
  readonly functionUrl: string;
  readonly slots: number;
}

/** fastify and BullMQ on redis, or why not. */
export async function startBullmq({ worker }: RunOptions = {}): Promise<System | Absence> {
  const absent = await redisAbsence();
  if (absent !== undefined) {
    return { absent };
  }
  const redis = await startRedisServer();
  const settings: BullmqSettings = { socket: redis.socket, queue: 'calls' };
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
