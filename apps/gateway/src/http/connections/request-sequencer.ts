import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { FairQueue } from '../fair-queue.ts';

export interface RequestSequencerOptions {
  /** Starts handling a request. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Whether a request may be handled in parallel with others like it on the same connection. */
  readonly isParallel: (request: IncomingMessage) => boolean;
  /** The submitter of a request. Called only for waiting requests. */
  readonly submitterOf: (request: IncomingMessage) => string;
  /** Maximum number of requests that start in one tick of the event loop. Default 128. */
  readonly perTick?: number;
  /** Requests that may wait for their turn, on all connections together. Default 5,000. */
  readonly maxWaiting?: number;
  /** Called if a connection is closed because too many requests are waiting. */
  readonly onOverflow: () => void;
}

/** Maximum number of parallel requests of one connection. */
const maxParallel = 100;

/** 4 ms of work. */
const defaultPerTick = 128;

const defaultMaxWaiting = 5_000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Connection {
  readonly socket: Socket;
  underWay: number;
  /** The running requests may run in parallel with others like them. */
  isParallel: boolean;
  /** In order of arrival. */
  waiting: Exchange[];
  /** The submitter of the next request, while the connection waits for its turn. */
  submitter: string | undefined;
  isWatched: boolean;
}

/**
 * Handles the requests of a connection one after the other, however many the client sends ahead (pipelining; RFC 9112,
 * 9.3.2). If many requests arrive at once, submitters take turns, and so do the connections of one submitter, so a
 * submitter with few requests does not wait for one with many. While requests of a connection wait, it is not read
 * further, so requests behind them cost no more than the data that was read with them. If too many requests are
 * waiting, the connection with most of them is closed.
 */
export class RequestSequencer {
  readonly #options: RequestSequencerOptions;
  readonly #connections = new WeakMap<Socket, Connection>();
  /** Those with requests that wait. */
  readonly #held = new Set<Connection>();
  readonly #queue: FairQueue<Connection>;
  #waiting = 0;

  constructor(options: RequestSequencerOptions) {
    this.#options = options;
    const { perTick = defaultPerTick } = options;
    this.#queue = new FairQueue({ perTick, begin: (connection) => this.#startNext(connection) });
  }

  /** Handles a request when it is its turn, or never if its connection closes first. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#connectionOf(socket);
    const { isParallel, maxWaiting = defaultMaxWaiting } = this.#options;
    if (connection.waiting.length === 0 && hasRoom(connection, isParallel(request)) && this.#queue.pass()) {
      this.#start(connection, { request, response });
    } else if (!socket.destroyed && (this.#waiting < maxWaiting || this.#makeRoomFor(connection))) {
      this.#waiting += 1;
      connection.waiting.push({ request, response });
      this.#holdBack(connection);
      this.#enqueue(connection);
    }
  }

  /** Closes the connection with most waiting requests, possibly this one. Returns whether this one is still open. */
  #makeRoomFor(connection: Connection): boolean {
    let largest = connection;
    for (const held of this.#held) {
      largest = held.waiting.length > largest.waiting.length ? held : largest;
    }
    this.#drop(largest);
    largest.socket.destroy();
    this.#options.onOverflow();
    return largest !== connection;
  }

  #drop(connection: Connection): void {
    this.#waiting -= connection.waiting.length;
    connection.waiting = [];
    this.#held.delete(connection);
    if (connection.submitter !== undefined) {
      this.#queue.delete(connection, connection.submitter);
    }
  }

  #connectionOf(socket: Socket): Connection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = { socket, underWay: 0, isParallel: true, waiting: [], submitter: undefined, isWatched: false };
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  #start(connection: Connection, { request, response }: Exchange): void {
    connection.underWay += 1;
    connection.isParallel = this.#options.isParallel(request);
    response.once('close', () => {
      connection.underWay -= 1;
      if (!request.socket.destroyed) {
        this.#enqueue(connection);
      }
    });
    this.#options.handle(request, response);
  }

  /** Queues the connection for its turn, if its next request may start and it is not queued yet. */
  #enqueue(connection: Connection): void {
    const { isParallel, submitterOf } = this.#options;
    const [next] = connection.waiting;
    if (next !== undefined && connection.submitter === undefined && hasRoom(connection, isParallel(next.request))) {
      connection.submitter = submitterOf(next.request);
      this.#queue.add(connection, connection.submitter);
    }
  }

  #startNext(connection: Connection): void {
    connection.submitter = undefined;
    if (connection.socket.destroyed) {
      return;
    }
    const next = connection.waiting.shift();
    if (next !== undefined) {
      this.#waiting -= 1;
      this.#start(connection, next);
    }
    if (connection.waiting.length === 0) {
      this.#held.delete(connection);
      connection.socket.resume();
    } else {
      this.#enqueue(connection);
    }
  }

  #holdBack(connection: Connection): void {
    const { socket } = connection;
    this.#held.add(connection);
    socket.pause();
    if (!connection.isWatched) {
      connection.isWatched = true;
      // Node resumes reading at the end of each answer, and for each body.
      socket.on('resume', () => connection.waiting.length > 0 && socket.pause());
      socket.once('close', () => this.#drop(connection));
    }
  }
}

function hasRoom({ underWay, isParallel }: Connection, isAlsoParallel: boolean): boolean {
  return underWay === 0 || (isParallel && isAlsoParallel && underWay < maxParallel);
}
