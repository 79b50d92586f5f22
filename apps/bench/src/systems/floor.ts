import { startNatsServer } from '@asyncfn/nats-server';
import { startProgram } from '../processes/index.ts';
import { createWorkConsumer, createWorkStream, purgeStream } from '../references/index.ts';
import type { RunOptions, System, SystemOptions } from './system.ts';

export interface FloorSettings {
  readonly natsUrl: string;
  /** Size of a call without its id. */
  readonly subject: string;
}

export interface FloorWorkerSettings {
  readonly natsUrl: string;
  readonly stream: string;
  readonly consumer: string;
  readonly functionUrl: string;
  readonly slots: number;
}

const stream = 'FLOOR';
const consumer = 'echo';
const subject = 'floor.ready.default.echo';

/** The least that could do the job on Node. */
export async function startFloor(
  { natsServerBin, syncInterval }: SystemOptions,
  { worker }: RunOptions = {},
): Promise<System> {
  const nats = await startNatsServer({ bin: natsServerBin, ...(syncInterval !== undefined && { syncInterval }) });
  await createWorkStream(nats.url, stream, 'floor.>');
  await createWorkConsumer(nats.url, stream, consumer);
  const settings: FloorSettings = { natsUrl: nats.url, subject };
  const gateway = await startProgram<{ port: number }>(
    new URL('../references/floor-gateway-main.js', import.meta.url),
    settings,
  );
  const workers = worker === undefined ? [] : [await startWorker({ natsUrl: nats.url, stream, consumer, ...worker })];
  return {
    intake: { port: gateway.said.port, paths: ['/async-function/echo'] },
    pids: { gateway: gateway.pid, broker: nats.pid },
    workerPids: workers.map(({ pid }) => pid),
    purge: () => purgeStream(nats.url, stream),
    async [Symbol.asyncDispose]() {
      await Promise.all([gateway, ...workers].map((each) => each[Symbol.asyncDispose]()));
      await nats.stop();
    },
  };
}

function startWorker(settings: FloorWorkerSettings) {
  return startProgram<object>(new URL('../references/floor-worker-main.js', import.meta.url), settings);
}
