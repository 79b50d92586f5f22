import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Recorder } from './recorder.ts';

export interface RecordedRequest {
  method: string;
  /** Path and query exactly as they came. */
  url: string;
  /** Names and values in turn, in the order and the case sent; values in latin1, as node:http gives them. */
  rawHeaders: string[];
  headers: IncomingHttpHeaders;
  /** The exact bytes; empty when the server was started with `keepBodies: false` and the answer is out. */
  body: Buffer;
  /** `X-Call-Id`, if there was one. */
  callId: string | undefined;
  /** When its headers arrived, in `performance.now()` milliseconds. */
  at: number;
  /** True once the client has gone away before it had the whole answer. */
  aborted: boolean;
  /** Aborts at that moment. */
  signal: AbortSignal;
}

/**
 * Decides the answer. A handler that throws answers 500, and the error is thrown again when the server is closed,
 * so that an assertion inside a handler fails its test.
 */
export type RequestHandler = (request: RecordedRequest, response: ServerResponse) => void | Promise<void>;

export interface RecordingServerOptions {
  handler: RequestHandler;
  /** Default `127.0.0.1`. */
  host?: string;
  /** Default 0: a free one. */
  port?: number;
  /** `false` drops each body once it is answered, for runs that would not fit in memory. Default true. */
  keepBodies?: boolean;
  /** `false` remembers no request at all: the handler keeps what it needs. Default true. */
  keepRequests?: boolean;
}

/** An HTTP server that remembers every request it had, in the order in which their bodies were complete. */
export class RecordingServer implements AsyncDisposable {
  /** May be replaced at any time; requests that are being answered keep the old one. */
  handler: RequestHandler;
  readonly #address: { host: string; port: number };
  readonly #keepBodies: boolean;
  readonly #keepRequests: boolean;
  readonly #server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, maxHeaderSize: 256 * 1024 });
  readonly #recorder = new Recorder<RecordedRequest>();
  readonly #byCallId = new Map<string, RecordedRequest[]>();
  readonly #failures: unknown[] = [];
  #inFlight = 0;
  #maxInFlight = 0;

  constructor(options: RecordingServerOptions) {
    const { handler, host = '127.0.0.1', port = 0, keepBodies = true, keepRequests = true } = options;
    this.handler = handler;
    this.#address = { host, port };
    this.#keepBodies = keepBodies;
    this.#keepRequests = keepRequests;
    this.#server.on('request', (request, response) => void this.#serve(request, response));
  }

  async listen(): Promise<void> {
    this.#server.listen({ ...this.#address, backlog: 4096 });
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Without a slash at the end. */
  get url(): string {
    const { host } = this.#address;
    return `http://${host.includes(':') ? `[${host}]` : host}:${this.port}`;
  }

  /** In the order in which their bodies were complete. The list is live. */
  get requests(): readonly RecordedRequest[] {
    return this.#recorder.entries;
  }

  /** Requests whose answer is not out yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** The most there were at once. */
  get maxInFlight(): number {
    return this.#maxInFlight;
  }

  /** Requests with this `X-Call-Id`. */
  byCallId(callId: string): readonly RecordedRequest[] {
    return this.#byCallId.get(callId) ?? [];
  }

  protected waitFor(count: number, what: string, timeoutMs: number): Promise<readonly RecordedRequest[]> {
    return this.#recorder.waitFor(count, what, timeoutMs);
  }

  /** Closes the port and every connection. Throws the errors that handlers have thrown. */
  async close(): Promise<void> {
    if (this.#server.listening) {
      const closed = once(this.#server, 'close');
      this.#server.close();
      this.#server.closeAllConnections();
      await closed;
    }
    const failures = this.#failures.splice(0);
    if (failures.length > 0) {
      throw new AggregateError(failures, `${failures.length} handler(s) failed`);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    const request = toRecord(incoming, gone.signal);
    this.#maxInFlight = Math.max(this.#maxInFlight, ++this.#inFlight);
    response.once('close', () => {
      this.#inFlight--;
      request.aborted = !response.writableFinished;
      if (request.aborted) {
        gone.abort();
      }
      if (!this.#keepBodies) {
        request.body = Buffer.alloc(0);
      }
    });
    try {
      request.body = await buffer(incoming);
    } catch {
      request.aborted = true;
    }
    if (this.#keepRequests) {
      this.#record(request);
    }
    if (!request.aborted) {
      await this.#answer(request, response);
    }
  }

  #record(request: RecordedRequest): void {
    if (request.callId !== undefined) {
      const same = this.#byCallId.get(request.callId);
      if (same) {
        same.push(request);
      } else {
        this.#byCallId.set(request.callId, [request]);
      }
    }
    this.#recorder.record(request);
  }

  async #answer(request: RecordedRequest, response: ServerResponse): Promise<void> {
    try {
      await this.handler(request, response);
    } catch (failure) {
      // A wait that was cut short because the client left is not a failure.
      if (!request.signal.aborted) {
        this.#failures.push(failure);
      }
      if (!response.headersSent) {
        response.writeHead(500);
      }
      response.end();
    }
  }
}

function toRecord(incoming: IncomingMessage, signal: AbortSignal): RecordedRequest {
  const callId = incoming.headers['x-call-id'];
  return {
    method: incoming.method ?? '',
    url: incoming.url ?? '',
    rawHeaders: incoming.rawHeaders,
    headers: incoming.headers,
    body: Buffer.alloc(0),
    callId: typeof callId === 'string' ? callId : undefined,
    at: performance.now(),
    aborted: false,
    signal,
  };
}
