import { startNatsServer } from '@asyncfn/nats-server';
import { type LoadResult, toMeasurement } from '../load/index.ts';
import { runProgram } from '../processes/index.ts';
import { createWorkStream, purgeStream } from '../references/index.ts';
import type { RunningSubject, Scale } from '../scenario.ts';
import type { SystemOptions } from './system.ts';

export interface BrokerLoad {
  readonly natsUrl: string;
  /** Size of a message without its number. */
  readonly subject: string;
  /** Messages that wait for their PubAck at a time. */
  readonly inFlight: number;
  readonly bodyBytes: number;
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly brokerPid: number;
}

const stream = 'ALONE';

/** nats-server without HTTP in front of it: its own limit on this machine. */
export async function startNatsAlone(
  { natsServerBin, syncInterval }: SystemOptions,
  { warmUpMs, durationMs }: Scale,
  { connections, bodyBytes }: { readonly connections: number; readonly bodyBytes: number },
): Promise<RunningSubject> {
  const nats = await startNatsServer({ bin: natsServerBin, ...(syncInterval !== undefined && { syncInterval }) });
  await createWorkStream(nats.url, stream, 'alone.>');
  const load: BrokerLoad = {
    natsUrl: nats.url,
    subject: 'alone.ready.default.echo',
    inFlight: connections,
    bodyBytes,
    warmUpMs,
    durationMs,
    brokerPid: nats.pid,
  };
  return {
    async measure() {
      const program = new URL('../references/nats-publish-main.js', import.meta.url);
      const result = await runProgram<LoadResult>(program, load);
      await purgeStream(nats.url, stream);
      return toMeasurement(result);
    },
    async [Symbol.asyncDispose]() {
      await nats.stop();
    },
  };
}
