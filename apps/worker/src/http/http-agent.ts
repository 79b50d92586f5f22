import type { Socket } from 'node:net';
import { Agent, buildConnector, Client, type Dispatcher, Pool } from 'undici';
import { AnswerReader } from './answer-reader.ts';

export interface HttpAgentOptions {
  /** Opens connections. Default: undici's connector, with its deadline of 10 s. */
  readonly connect?: Connector | undefined;
  /** Largest head of a response (status line and headers), and largest trailers, in bytes. */
  readonly maxHeaderBytes: number;
  /**
   * How long after a request was sent over a reused connection its end without a byte still counts as "closed before the
   * request was read", in milliseconds. Proxies cut off slow requests after 15 s at the earliest. Default 10,000.
   */
  readonly staleWithinMs?: number | undefined;
  /** Further options of undici's pools, one per origin. */
  readonly pool?: Pick<Pool.Options, 'connections' | 'headersTimeout' | 'bodyTimeout'> | undefined;
}

type Connector = ReturnType<typeof buildConnector>;

/** The connection of an undici client. */
export interface ConnectionInfo {
  /** Undefined while the client is not connected. */
  readonly reader: AnswerReader | undefined;
  /** Requests sent over the current connection so far. */
  requests: number;
}

/** A request that learns which client sends it. */
export interface TrackedRequest extends Dispatcher.DispatchOptions {
  /** Called first. The client may still reconnect before it sends the request. */
  readonly onConnection: (info: ConnectionInfo) => void;
}

/** One pool of connections per origin. Every response passes an `AnswerReader` on its way to undici. */
export class HttpAgent {
  readonly staleWithinMs: number;
  readonly maxHeaderBytes: number;
  readonly #agent: Agent;
  readonly #toClient: (origin: string | URL) => Client;
  readonly #lone = new Set<Client>();
  #isDestroyed = false;

  constructor(options: HttpAgentOptions) {
    const { connect = buildConnector({}), maxHeaderBytes, staleWithinMs = 10_000, pool = {} } = options;
    this.staleWithinMs = staleWithinMs;
    this.maxHeaderBytes = maxHeaderBytes;
    this.#toClient = (origin) => new TrackedClient(origin, { ...pool, connect, maxHeaderBytes });
    this.#agent = new Agent({
      factory: (origin) => new Pool(origin, { ...pool, factory: (each) => this.#toClient(each) }),
    });
  }

  dispatch(request: TrackedRequest, handler: Dispatcher.DispatchHandler): void {
    this.#agent.dispatch(request, handler);
  }

  /** Sends a request over a fresh connection, which is closed afterwards. Throws after `destroy`. */
  dispatchAlone(request: TrackedRequest, handler: Dispatcher.DispatchHandler): void {
    if (this.#isDestroyed) {
      throw new Error('the agent is destroyed');
    }
    const client = this.#toClient(request.origin ?? '');
    this.#lone.add(client);
    client.dispatch(request, handler);
    void client.close().then(() => this.#lone.delete(client));
  }

  /** Closes all connections at once. */
  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    await Promise.all([this.#agent.destroy(), ...[...this.#lone].map((client) => client.destroy())]);
  }
}

interface TrackedClientOptions extends Client.Options {
  readonly connect: Connector;
  readonly maxHeaderBytes: number;
}

/** An undici client (one connection at a time) that tells requests about its connection. */
class TrackedClient extends Client {
  readonly #info: { reader: AnswerReader | undefined; requests: number };

  constructor(origin: string | URL, { connect, maxHeaderBytes, ...options }: TrackedClientOptions) {
    const info = { reader: undefined as AnswerReader | undefined, requests: 0 };
    const connectTracked: Connector = (target, callback) =>
      connect(target, (...[error, socket]) => {
        if (socket) {
          info.reader = new AnswerReader(maxHeaderBytes);
          info.requests = 0;
          readThrough(socket, info.reader);
          socket.once('close', () => {
            info.reader = undefined;
          });
          callback(null, socket);
        } else {
          callback(error ?? new Error('the connector returned neither a socket nor an error'), null);
        }
      });
    // undici sees a head of ours, so its limit applies to trailers.
    super(origin, { ...options, maxHeaderSize: maxHeaderBytes, connect: connectTracked });
    this.#info = info;
  }

  override dispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (isTrackedRequest(request)) {
      request.onConnection(this.#info);
    }
    return super.dispatch(request, handler);
  }
}

function isTrackedRequest(request: Dispatcher.DispatchOptions): request is TrackedRequest {
  return 'onConnection' in request;
}

/** Passes everything that a socket receives through the reader. Every readable stream is fed by `push`. */
function readThrough(socket: Socket, reader: AnswerReader): void {
  const push = socket.push.bind(socket);
  socket.push = (chunk: Buffer | null) => {
    try {
      if (chunk === null) {
        reader.end();
        return push(null);
      }
      return push(reader.read(chunk) ?? '');
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
      return false;
    }
  };
}
