import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Socket } from 'node:net';
import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import { createLogger, parseConfig } from '@asyncfn/service-kit';
import { createCheckedConnector, type ResolveAddresses } from '../src/callbacks/checked-connector.ts';
import { workerConfig } from '../src/config.ts';
import { exchange, type HttpOutcome } from '../src/http/exchange.ts';
import { HttpAgent } from '../src/http/http-agent.ts';
import { NameResolver } from '../src/names/name-resolver.ts';

export interface CheckedCallbacksOptions {
  readonly env?: Record<string, string>;
  /** Default: as the worker resolves names. */
  readonly resolve?: ResolveAddresses;
  readonly ca?: string;
}

const logger = createLogger({ name: 'worker', level: 'fatal', format: 'json' });
const names = new NameResolver({ servers: [], logger, signal: new AbortController().signal });
const resolveAsWorkers: ResolveAddresses = (host) => names.resolve(host, { submitter: undefined, waitMs: 0 });

/**
 * Connects to the receivers of callbacks as the worker does, by the policy of a configuration, and records the
 * connections.
 */
export class CheckedCallbacks implements AsyncDisposable {
  readonly policy: CallbackPolicy;
  readonly agent: HttpAgent;
  /** Every socket that has connected since. */
  readonly sockets: Socket[] = [];
  readonly #onSocket = (message: unknown): void => void this.sockets.push((message as { socket: Socket }).socket);

  constructor({ env = {}, resolve = resolveAsWorkers, ca }: CheckedCallbacksOptions = {}) {
    this.policy = new CallbackPolicy(parseConfig(workerConfig, env));
    this.agent = new HttpAgent({
      maxHeaderBytes: 16 * 1024,
      connect: createCheckedConnector({ policy: this.policy, timeoutMs: 2_000, resolve, ca }),
    });
    subscribe('net.client.socket', this.#onSocket);
  }

  /** Sends a request like a callback whose URL was not checked. */
  post(url: string): Promise<HttpOutcome> {
    const { origin, pathname } = new URL(url);
    return exchange(this.agent, {
      origin,
      path: pathname,
      headers: [],
      body: Buffer.from('result'),
      timeoutMs: 10_000,
      maxResponseBytes: 1_000,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    unsubscribe('net.client.socket', this.#onSocket);
    await this.agent.destroy();
  }
}

/** Listens on all addresses of this machine, and answers 204 to everything. */
export class Trap implements AsyncDisposable {
  /** Local addresses of the incoming connections. */
  readonly reached: string[] = [];
  readonly #server = createServer((socket) => {
    this.reached.push(socket.localAddress ?? '');
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n'));
  });

  static async open(): Promise<Trap> {
    const trap = new Trap();
    trap.#server.listen({ host: '::', port: 0, ipv6Only: false });
    await once(trap.#server, 'listening');
    return trap;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}
