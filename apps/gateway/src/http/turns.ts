import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

export interface TurnOptions {
  /** Begins to answer a request. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  /** Whether a request may be worked on beside others like it on the same connection. */
  readonly isParallel: (request: IncomingMessage) => boolean;
  /** Requests that may wait for their turn, on all connections together. Default 5,000. */
  readonly mostWaiting?: number;
  /** Told when a connection is closed so that there are no more. */
  readonly onOverflow: () => void;
}

/** How many requests of one connection are worked on at once, where they may be. */
const mostParallel = 100;

const defaultMostWaiting = 5_000;

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

interface Connection {
  readonly socket: Socket;
  underWay: number;
  /** What is under way may have others like it beside it. */
  isParallel: boolean;
  /** In the order in which they came. */
  waiting: Exchange[];
  isWatched: boolean;
}

/**
 * Takes the requests of a connection one after the other, however many the client sends before it has the answers
 * (pipelining; RFC 9112, 9.3.2). While some of them wait for their turn, the connection is not read any further: what
 * stands behind a request that is answered late costs nothing but what had been read with it. Where as many wait as may,
 * the connection is closed that has most of them: who sends little ahead is not hurt by who sends much.
 */
export class Turns {
  readonly #options: TurnOptions;
  readonly #connections = new WeakMap<Socket, Connection>();
  /** Those with requests that wait. */
  readonly #held = new Set<Connection>();
  #waiting = 0;

  constructor(options: TurnOptions) {
    this.#options = options;
  }

  /** Has a request answered when it is its turn, which never comes if its connection is closed before. */
  take(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const connection = this.#connectionOf(socket);
    const { isParallel, mostWaiting = defaultMostWaiting } = this.#options;
    if (connection.waiting.length === 0 && hasRoom(connection, isParallel(request))) {
      this.#start(connection, { request, response });
    } else if (!socket.destroyed && (this.#waiting < mostWaiting || this.#makeRoomFor(connection))) {
      this.#waiting += 1;
      connection.waiting.push({ request, response });
      this.#holdBack(connection);
    }
  }

  /** Closes the connection that has most requests waiting, be it this one. Returns whether this one is left. */
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
  }

  #connectionOf(socket: Socket): Connection {
    let connection = this.#connections.get(socket);
    if (connection === undefined) {
      connection = { socket, underWay: 0, isParallel: true, waiting: [], isWatched: false };
      this.#connections.set(socket, connection);
    }
    return connection;
  }

  #start(connection: Connection, { request, response }: Exchange): void {
    connection.underWay += 1;
    connection.isParallel = this.#options.isParallel(request);
    response.once('close', () => {
      connection.underWay -= 1;
      if (connection.waiting.length > 0 && !request.socket.destroyed) {
        this.#startNext(connection);
      }
    });
    this.#options.handle(request, response);
  }

  #startNext(connection: Connection): void {
    for (;;) {
      const [next] = connection.waiting;
      if (next === undefined || !hasRoom(connection, this.#options.isParallel(next.request))) {
        break;
      }
      connection.waiting.shift();
      this.#waiting -= 1;
      this.#start(connection, next);
    }
    if (connection.waiting.length === 0) {
      this.#held.delete(connection);
      connection.socket.resume();
    }
  }

  #holdBack(connection: Connection): void {
    const { socket } = connection;
    this.#held.add(connection);
    socket.pause();
    if (!connection.isWatched) {
      connection.isWatched = true;
      // Node resumes at the end of each answer, and for each body.
      socket.on('resume', () => connection.waiting.length > 0 && socket.pause());
      socket.once('close', () => this.#drop(connection));
    }
  }
}

function hasRoom({ underWay, isParallel }: Connection, isAlsoParallel: boolean): boolean {
  return underWay === 0 || (isParallel && isAlsoParallel && underWay < mostParallel);
}
