import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Recorder } from './recorder.ts';

/** One request as it came in. Only its length is parsed, and nothing is checked. */
export interface RawRequest {
  /** Request line and headers, latin1, with the empty line at their end. */
  readonly head: string;
  readonly body: Buffer;
  /** `X-Call-Id`, if there was one. */
  readonly callId: string | undefined;
  /** Which connection it came on: 1 for the first. */
  readonly connection: number;
  /** Requests that the connection has brought, this one included. */
  readonly nth: number;
}

/** The server's side of one connection. */
export interface RawConnection {
  /** Strings are latin1. */
  readonly write: (bytes: string | Buffer) => void;
  /** Closes the connection after these bytes. */
  readonly end: (bytes?: string | Buffer) => void;
  /** Breaks the connection (RST). */
  readonly reset: () => void;
  /** Aborts once the connection is closed, by whichever side. */
  readonly signal: AbortSignal;
}

/** The answer to a request: exactly these bytes, on a connection that stays open, or the function's actions. */
export type RawAnswer = string | Buffer | ((connection: RawConnection, request: RawRequest) => void | Promise<void>);

/** Writes these bytes and closes the connection. */
export function thenClose(bytes: string | Buffer): RawAnswer {
  return (connection) => connection.end(bytes);
}

/** Writes these bytes one by one. */
export function byteByByte(bytes: string): RawAnswer {
  return async (connection) => {
    for (const byte of Buffer.from(bytes, 'latin1')) {
      connection.write(Buffer.of(byte));
      await new Promise(setImmediate);
    }
  };
}

/** A server that answers with exact bytes, even if they are not valid HTTP. */
export class RawServer implements AsyncDisposable {
  /** May be replaced at any time. */
  answer: RawAnswer;
  readonly #server = createServer((socket) => this.#accept(socket));
  readonly #sockets = new Set<Socket>();
  readonly #recorder = new Recorder<RawRequest>();
  #connections = 0;

  constructor(answer: RawAnswer) {
    this.answer = answer;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  /** Without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** In the order in which they were complete. The list is live. */
  get requests(): readonly RawRequest[] {
    return this.#recorder.entries;
  }

  /** Connections that were made so far. */
  get connections(): number {
    return this.#connections;
  }

  /** Connections that are open now. */
  get open(): number {
    return this.#sockets.size;
  }

  /** Resolves once there have been at least `count`; rejects after `timeoutMs`, default 90,000. */
  waitForRequests(count: number, timeoutMs = 90_000): Promise<readonly RawRequest[]> {
    return this.#recorder.waitFor(count, 'requests', timeoutMs);
  }

  /** Closes every connection, as a server closes those that have been idle for long. */
  closeConnections(): void {
    for (const socket of this.#sockets) {
      socket.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    await once(this.#server, 'close');
  }

  #accept(socket: Socket): void {
    const number = ++this.#connections;
    const closed = new AbortController();
    this.#sockets.add(socket);
    // The other side may break the connection at any time; `signal` tells when it is closed.
    socket.on('error', () => {});
    socket.once('close', () => {
      this.#sockets.delete(socket);
      closed.abort();
    });
    const connection = toConnection(socket, closed.signal);
    let nth = 0;
    let received: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      for (let parsed = parseRequest(received); parsed !== undefined; parsed = parseRequest(received)) {
        received = parsed.rest;
        const { head, body, callId } = parsed;
        const request = { head, body, callId, connection: number, nth: ++nth };
        this.#recorder.record(request);
        this.#reply(connection, request);
      }
    });
  }

  #reply(connection: RawConnection, request: RawRequest): void {
    if (typeof this.answer === 'function') {
      void this.answer(connection, request);
    } else {
      connection.write(this.answer);
    }
  }
}

/** Starts a server on a free port. */
export async function startRawServer(answer: RawAnswer): Promise<RawServer> {
  const server = new RawServer(answer);
  await server.listen();
  return server;
}

function toConnection(socket: Socket, signal: AbortSignal): RawConnection {
  return {
    write: (bytes) => void (socket.writable && socket.write(toBuffer(bytes))),
    end: (bytes = '') => void (socket.writable && socket.end(toBuffer(bytes))),
    reset: () => void socket.resetAndDestroy(),
    signal,
  };
}

function toBuffer(bytes: string | Buffer): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
}

function parseRequest(received: Buffer) {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) {
    return undefined;
  }
  const head = received.toString('latin1', 0, end + 4);
  const bodyEnd = end + 4 + Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  return received.length < bodyEnd
    ? undefined
    : {
        head,
        body: received.subarray(end + 4, bodyEnd),
        callId: /^x-call-id: *(\S+)/im.exec(head)?.[1],
        rest: received.subarray(bodyEnd),
      };
}
