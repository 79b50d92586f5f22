import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { type HostPattern, isLoopback, OwnHosts } from '../hosts/index.ts';
import { createService, type Service } from '../lifecycle/index.ts';
import type { Logger } from '../logging/index.ts';
import { sleep } from '../timing.ts';
import { answerHalfClosed } from './half-closed-clients.ts';

/** Whether the process can do its work at this moment. */
export interface Readiness {
  readonly ready: boolean;
  /** Its dependencies, each with its state in one word: `{ nats: 'connected' }`. */
  readonly checks: Readonly<Record<string, string>>;
}

export interface OpsServerOptions {
  readonly host: string;
  /** 0 for a free one. */
  readonly port: number;
  /** Host names that it answers to if `host` is a loopback address, besides loopback names. */
  readonly allowedHosts: readonly HostPattern[];
  readonly registry: Registry;
  /** Synchronous, so that a probe is answered at once at all times. */
  readonly readiness: () => Readiness;
  readonly logger: Logger;
  /** After this a scrape whose collectors hang is answered 503. Default 10,000, which is Prometheus's own limit. */
  readonly metricsTimeoutMs?: number;
}

export interface OpsServer extends Service {
  /** The port in use. Throws before the start. */
  readonly port: number;
}

/** How long a stop lets a scrape under way finish. */
const STOP_GRACE_MS = 500;

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/**
 * The operations server of a process: `/metrics` for Prometheus, `/livez` (200 as long as the event loop runs) and
 * `/readyz` (200 or 503) for probes.
 */
export function createOpsServer(options: OpsServerOptions): OpsServer {
  // On other addresses scrapers may use any name; on loopback a browser may be led to it.
  const ownHosts = new OwnHosts(isLoopback(options.host) ? options.allowedHosts : [{ kind: 'any' }]);
  const server = createServer((request, response) => {
    if (!ownHosts.include(request.headers.host, request.socket.localAddress)) {
      return send(response, text(403, 'Host names another server. Call this one as localhost, or set ALLOWED_HOSTS'));
    }
    // The answer is written by handle() whatever happens.
    void handle(options, request, response);
  });
  answerHalfClosed(server);
  const service = createService({
    async start() {
      await listen(server, options.host, options.port);
      options.logger.info({ server: 'ops', host: options.host, port: portOf(server) }, 'listening');
    },
    stop: () => close(server),
  });
  return {
    ...service,
    get port() {
      return portOf(server);
    },
  };
}

/** A metrics registry of one process with what every process reports: CPU, memory, event loop, garbage collection. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}

const METHODS = ['GET', 'HEAD'];

async function handle(options: OpsServerOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = (request.url ?? '').replace(/\?.*$/s, '');
  const route = routes.get(path);
  if (route === undefined) {
    return send(response, text(404, 'Not Found'));
  }
  if (!METHODS.includes(request.method ?? '')) {
    response.setHeader('Allow', METHODS.join(', '));
    return send(response, text(405, 'Method Not Allowed'));
  }
  try {
    send(response, await route(options));
  } catch (err) {
    options.logger.error({ path, err }, 'operations request failed');
    send(response, text(500, 'Internal Server Error'));
  }
}

const routes = new Map<string, (options: OpsServerOptions) => Answer | Promise<Answer>>([
  ['/livez', () => text(200, 'OK')],
  ['/readyz', ({ readiness }) => readyz(readiness())],
  ['/metrics', metrics],
]);

function readyz({ ready, checks }: Readiness): Answer {
  const body = JSON.stringify({ status: ready ? 'ready' : 'not ready', checks });
  return { status: ready ? 200 : 503, type: 'application/json; charset=utf-8', body };
}

async function metrics({ registry, logger, metricsTimeoutMs = 10_000 }: OpsServerOptions): Promise<Answer> {
  const answered = new AbortController();
  const tooLate = sleep(metricsTimeoutMs, answered.signal);
  try {
    const body = await Promise.race([registry.metrics(), tooLate]);
    if (typeof body === 'string') {
      return { status: 200, type: registry.contentType, body };
    }
    logger.warn({ timeoutMs: metricsTimeoutMs }, 'metrics were not collected in time');
    return text(503, 'Metrics were not collected in time');
  } finally {
    answered.abort();
  }
}

function text(status: number, body: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body };
}

function send(response: ServerResponse, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
  });
  response.end(body);
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => reject(toListenError(cause, host, port)));
    // If several processes share a port by node:cluster, this port is not shared: each process has its own.
    server.listen({ host, port, exclusive: true }, resolve);
  });
}

function toListenError(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  const why = cause.code === 'EADDRINUSE' ? 'the port is in use; choose another with OPS_PORT' : cause.message;
  return new Error(`the operations server cannot listen on ${host}:${port}: ${why}`, { cause });
}

async function close(server: Server): Promise<void> {
  if (!server.listening) {
    return;
  }
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), STOP_GRACE_MS);
  await closed;
  clearTimeout(timer);
}

function portOf(server: Server): number {
  // An AddressInfo or null: a string only for a server on a pipe.
  const address = server.address() as AddressInfo | null;
  if (address === null) {
    throw new Error('the operations server is not listening');
  }
  return address.port;
}
