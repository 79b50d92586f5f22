import type { ServerResponse } from 'node:http';
import {
  type CallbackReceiver,
  type DnsServer,
  type RecordedRequest,
  startCallbackReceiver,
  startDnsServer,
} from '@asyncfn/testkit';
import type { Recorder } from '../history/index.ts';
import type { Plan, Tenant } from '../plan.ts';
import { headerOf } from './header-of.ts';
import { readResult } from './result.ts';

/** Host names of receivers of one kind: each host has its own share. */
const hosts = 20;

/**
 * The receivers of callbacks, and the DNS server that knows their names. Until they are healed, hanging receivers hang,
 * and the DNS server does not answer for names that are meant to be unknown.
 */
export class Receivers implements AsyncDisposable {
  readonly #history: Recorder;
  readonly #refused = new Set<number>();
  readonly #hanging = new Set<ServerResponse>();
  #areWell = false;
  #inbox: CallbackReceiver | undefined;
  #dns: DnsServer | undefined;

  private constructor(history: Recorder) {
    this.#history = history;
  }

  static async start(history: Recorder): Promise<Receivers> {
    const receivers = new Receivers(history);
    receivers.#inbox = await startCallbackReceiver({
      keepRequests: false,
      respond: (request, response) => receivers.#respond(request, response),
    });
    receivers.#dns = await startDnsServer(({ name }) =>
      name.startsWith('nameless') && !receivers.#areWell ? 'silence' : ['127.0.0.1'],
    );
    return receivers;
  }

  /** For `CALLBACK_DNS_SERVERS`. */
  get dnsServers(): string {
    return this.#dns?.address ?? '';
  }

  /** The callback URL of a request; undefined for a plan without one. */
  urlOf(number: number, { callback, tenant }: Plan): string | undefined {
    return callback === 'none'
      ? undefined
      : `http://${callback}-${number % hosts}.${tenant}.example:${this.#inbox?.port}/${callback}/${number}`;
  }

  /** The callback URL for the end of a chain. */
  chainUrlOf(number: number, { tenant }: Plan): string {
    return `http://steady-${number % hosts}.${tenant}.example:${this.#inbox?.port}/chain/${number}`;
  }

  /** The callback URL for the end of a batch. */
  batchUrlOf(batch: number, tenant: Tenant): string {
    return `http://steady-${batch % hosts}.${tenant}.example:${this.#inbox?.port}/batch/${batch}`;
  }

  /** From now on every receiver answers, and the DNS server knows every name. */
  mend(): void {
    this.#areWell = true;
    for (const response of this.#hanging) {
      response.writeHead(503).end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inbox?.close();
    await this.#dns?.[Symbol.asyncDispose]();
  }

  #respond(request: RecordedRequest, response: ServerResponse): void {
    const [, kind, number] = /^\/([a-z]+)\/(\d+)$/.exec(request.url) ?? [];
    const key = Number(number);
    const hangs = kind === 'hanging' && !this.#areWell;
    const status = hangs ? 0 : kind === 'flaky' && !this.#refused.has(key) ? 500 : 204;
    this.#refused.add(key);
    if (kind === 'batch') {
      const webhookId = headerOf(request, 'webhook-id');
      this.#history.record({ kind: 'batch told', batch: key, webhookId, content: request.body.toString(), status });
      response.writeHead(status).end();
      return;
    }
    if (kind === 'chain') {
      const content = [headerOf(request, 'x-function-status'), request.body.toString()].join(' ');
      const webhookId = headerOf(request, 'webhook-id');
      this.#history.record({ kind: 'chain told', request: key, webhookId, content, status });
      response.writeHead(status).end();
      return;
    }
    const result = request.body.toString();
    this.#history.record({
      kind: 'called back',
      request: key,
      webhookId: headerOf(request, 'webhook-id'),
      startTime: headerOf(request, 'x-start-time'),
      functionStatus: Number(headerOf(request, 'x-function-status')),
      retry: Number(headerOf(request, 'x-retry')),
      content: `${headerOf(request, 'x-duration-seconds')} ${result}`,
      about: readResult(result),
      status,
    });
    if (hangs) {
      this.#hanging.add(response);
      response.once('close', () => this.#hanging.delete(response));
    } else {
      response.writeHead(status).end();
    }
  }
}
