import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createService, type Logger, type Service } from '@asyncfn/service-kit';
import { parseUrl } from '@asyncfn/units';
import { formatHost, listenOn, type WantedPort } from './port.ts';
import { toPrintable } from './printable.ts';

export interface HttpExchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Only path and query are set. */
  readonly url: URL;
  /** Aborts if the client leaves before it has received the whole answer. */
  readonly signal: AbortSignal;
}

export type HttpHandler = (exchange: HttpExchange) => void | Promise<void>;

export interface HttpListenerOptions {
  handler: HttpHandler;
  /** Port 0 picks a free one. */
  bind: WantedPort;
  logger: Logger;
}

/** A handler throws it to answer with that status and the message as plain text. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

const MAX_LOGGED_PATH = 200;
/** nginx's number for it; no standard one exists. */
const CLIENT_CLOSED_REQUEST = 499;

/** The small HTTP servers of this app: one handler, plain-text errors, and a stop that leaves no connection behind. */
export class HttpListener implements Service {
  readonly #options: HttpListenerOptions;
  readonly #server: Server = createServer({ requestTimeout: 0, keepAliveTimeout: 65_000 });
  readonly #service: Service;

  constructor(options: HttpListenerOptions) {
    this.#options = options;
    this.#service = createService({ start: () => this.#listen(), stop: () => this.#close() });
    this.#server.on('request', (request, response) => void this.#serve(request, response));
  }

  /** Once started, the port in use. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : this.#options.bind.port;
  }

  /** The URL for clients on this machine, without a slash at the end. */
  get url(): string {
    return `http://${formatHost(this.#options.bind.host)}:${this.port}`;
  }

  /** @throws {PortError} if the port is not available. */
  start(): Promise<void> {
    return this.#service.start();
  }

  /** Breaks off what is in flight and closes every connection. */
  stop(): Promise<void> {
    return this.#service.stop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #listen(): Promise<void> {
    const { bind, logger } = this.#options;
    await listenOn(this.#server, bind);
    logger.info({ server: bind.what, host: bind.host, port: this.port }, 'listening');
  }

  async #close(): Promise<void> {
    if (!this.#server.listening) {
      return;
    }
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const gone = new AbortController();
    const exchange = { request, response, url: parseTarget(request), signal: gone.signal };
    response.once('close', () => {
      if (!response.writableFinished) {
        gone.abort();
      }
      this.#logAnswer(exchange, performance.now() - startedAt);
    });
    try {
      await this.#options.handler(exchange);
    } catch (err) {
      // A client that has left gets no answer, and is not worth a log line.
      if (!gone.signal.aborted) {
        this.#answerProblem(exchange, err);
      }
    }
  }

  #answerProblem({ request, response }: HttpExchange, err: unknown): void {
    // Discards the rest of the body; otherwise a keep-alive client would wait until it is read.
    request.resume();
    if (!(err instanceof HttpProblem)) {
      this.#options.logger.error({ err }, 'request failed');
    }
    if (response.headersSent) {
      return void response.destroy();
    }
    const problem = err instanceof HttpProblem ? err : new HttpProblem(500, 'internal error');
    for (const [name, value] of Object.entries(problem.headers)) {
      response.setHeader(name, value);
    }
    answerText(response, problem.status, problem.message);
  }

  #logAnswer({ request, response, url, signal }: HttpExchange, durationMs: number): void {
    const level = request.method === 'GET' ? 'debug' : 'info';
    this.#options.logger[level](
      {
        method: request.method,
        path: toPrintable(url.pathname, MAX_LOGGED_PATH),
        callId: callIdOf(request),
        status: signal.aborted ? CLIENT_CLOSED_REQUEST : response.statusCode,
        durationMs: Math.round(durationMs),
      },
      'request answered',
    );
  }
}

/** The `X-Call-Id` of a request, safe for the log. */
export function callIdOf({ headers }: IncomingMessage): string | undefined {
  return headers['x-call-id'] === undefined ? undefined : toPrintable(headers['x-call-id'].toString(), 128);
}

/** Answers with plain text that ends its line. */
export function answerText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
}

function parseTarget(request: IncomingMessage): URL {
  const text = `http://localhost${request.url}`;
  // An absolute or broken target is not an error: it becomes a path that no handler knows.
  return parseUrl(text) ?? new URL('http://localhost/-');
}
