import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Env } from '@asyncfn/stack';
import { startBenchFunction } from './bench-function.ts';

/** A feature that can be on or off. Disposing ends what it needs. */
export interface Extra extends AsyncDisposable {
  /** Settings of the process that has it. */
  readonly env: Env;
  /** Headers that callers must send. */
  readonly headers: Readonly<Record<string, string>>;
  /** Receives the metrics URLs of the processes once these run. */
  begin(metricsUrls: readonly string[]): void;
  /** Throws if it was not on during the measurement. */
  verify(): Promise<void>;
}

const none: Extra = {
  env: {},
  headers: {},
  begin() {},
  async verify() {},
  async [Symbol.asyncDispose]() {},
};

export function asShipped(): Promise<Extra> {
  return Promise.resolve(none);
}

/** Its ports are chosen here, because a silent process does not say which ones it has picked. */
export async function silence(): Promise<Extra> {
  const [api, ops] = await Promise.all([freePort(), freePort()]);
  return { ...none, env: { LOG_LEVEL: 'silent', PORT: String(api), OPS_PORT: String(ops) } };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Has the form of `whsec_` secrets (Standard Webhooks); it protects nothing. */
export const signingSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export function signing(): Promise<Extra> {
  return Promise.resolve({ ...none, env: { CALLBACK_SIGNING_SECRETS: signingSecret } });
}

/** A file of ten tokens. Callers use the last one. */
export async function tokens(): Promise<Extra> {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-tokens-'));
  const file = join(folder, 'tokens.yaml');
  const secrets = Array.from({ length: 10 }, (_, index) => `asyncfn_bench-${index}`.padEnd(51, 'x'));
  const entries = secrets.map((secret, index) => [`t${index}`, { hash: hashOf(secret), scopes: ['invoke'] }]);
  await writeFile(file, JSON.stringify({ tokens: Object.fromEntries(entries) })); // JSON is YAML
  return {
    ...none,
    env: { AUTH_TOKENS_FILE: file },
    headers: { Authorization: `Bearer ${secrets.at(-1)}` },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

function hashOf(secret: string): string {
  return `sha256:${createHash('sha256').update(secret).digest('hex')}`;
}

/** Every call is traced, and no span is dropped. The collector is a process that discards the spans. */
export async function tracing(): Promise<Extra> {
  const collector = await startBenchFunction();
  return {
    ...none,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_MAX_QUEUE_SIZE: '1000000',
      OTEL_BSP_SCHEDULE_DELAY: '200', // under load, exports come sooner
    },
    async verify() {
      if ((await collector.report()).count === 0) {
        throw new Error('no traces were exported');
      }
    },
    [Symbol.asyncDispose]: () => collector[Symbol.asyncDispose](),
  };
}

const scrapeMs = 1_000;

/** The metrics of each process are read every second, five times as often as the shipped Prometheus does. */
export function scraping(): Promise<Extra> {
  let timer: NodeJS.Timeout | undefined;
  return Promise.resolve({
    ...none,
    begin(urls) {
      timer = setInterval(() => void Promise.allSettled(urls.map(scrape)), scrapeMs);
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
    },
  });
}

async function scrape(url: string): Promise<void> {
  await (await fetch(url)).arrayBuffer();
}
