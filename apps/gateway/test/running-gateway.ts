import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {} from '@asyncfn/nats-server/vitest';
import { type Call, decodeCall } from '@asyncfn/queue-core';
import { createLogger, parseConfig } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { inject } from 'vitest';
import { gatewayConfig } from '../src/config.ts';
import { createGateway, type Gateway } from '../src/service.ts';

export interface RunningGateway extends FunctionPlace, AsyncDisposable {
  readonly gateway: Gateway;
  /** The URL of the function. */
  readonly url: string;
  readonly apiUrl: string;
  readonly opsUrl: string;
  readonly failures: unknown[];
}

/** The function of a gateway, and its queue. */
export interface FunctionPlace {
  readonly queue: string;
  readonly name: string;
}

/** A queue and a function in it that no other test uses. */
export function uniquePlace(): FunctionPlace {
  const queue = `gw-${randomBytes(6).toString('hex')}`;
  return { queue, name: `fn-${queue}` };
}

export async function startGateway(
  natsUrl: string,
  env: Record<string, string> = {},
  { queue, name }: FunctionPlace = uniquePlace(),
): Promise<RunningGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'gateway-'));
  const functionsFile = join(folder, 'functions.yaml');
  await writeFile(functionsFile, `functions:\n  ${name}: { url: http://function.test, queue: ${queue} }\n`);
  const ports = { HOST: '127.0.0.1', PORT: '0', OPS_PORT: '0' };
  const config = parseConfig(gatewayConfig, { NATS_URL: natsUrl, FUNCTIONS_FILE: functionsFile, ...ports, ...env });
  const failures: unknown[] = [];
  const gateway = await createGateway(config, {
    logger: createLogger({ name: 'gateway', level: 'silent', format: 'json' }),
    version: '1.2.3',
    pid: 1,
    env: {},
    fail: (error) => failures.push(error),
  });
  await gateway.start();
  return {
    gateway,
    queue,
    name,
    failures,
    url: `http://127.0.0.1:${gateway.port}/async-function/${name}`,
    apiUrl: `http://127.0.0.1:${gateway.port}`,
    opsUrl: `http://127.0.0.1:${gateway.opsPort}`,
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await rm(folder, { recursive: true });
    },
  };
}

export async function untilReady({ opsUrl }: RunningGateway): Promise<void> {
  await eventually(async () => (await fetch(`${opsUrl}/readyz`)).status === 200, { message: 'never ready' });
}

export async function startReadyGateway(env?: Record<string, string>, place?: FunctionPlace): Promise<RunningGateway> {
  const running = await startGateway(inject('natsUrl'), env, place);
  await untilReady(running);
  return running;
}

/** A manager of the streams, to look into them. */
export async function manager(natsUrl: string) {
  const connection = await connect({ servers: natsUrl });
  const streams = await jetstreamManager(connection);
  return { streams, [Symbol.asyncDispose]: () => connection.close() };
}

export async function storedCalls(streams: JetStreamManager, queue: string): Promise<Call[]> {
  const stream = `CALLS_${queue}`;
  const { state } = await streams.streams.info(stream);
  const calls: Call[] = [];
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const message = await streams.direct.getMessage(stream, { seq });
    const decoded = decodeCall(message?.header.get('Asyncfn-Call') ?? '', message?.data ?? new Uint8Array());
    if (decoded.kind !== 'call') {
      throw new Error(decoded.problem);
    }
    calls.push(decoded.call);
  }
  return calls;
}
