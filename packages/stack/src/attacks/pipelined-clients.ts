import { connect, type Socket } from 'node:net';

interface Connection {
  readonly socket: Socket;
  underWay: number;
  isNew: boolean;
}

/** One character shorter than the text to find in an answer, so that a counted one is not found again. */
const restLength = 'HTTP/1.1 202 '.length - 1;

/**
 * Connections that send prepared requests without waiting for earlier answers (pipelining), and count the answers. If
 * the gateway closes one, another one follows.
 */
export class PipelinedClients implements Disposable {
  /** How many answers there were of each status. */
  readonly answers = new Map<number, number>();
  readonly #port: number;
  readonly #connections: Connection[] = [];
  #turn = 0;
  #isOver = false;

  constructor(gatewayUrl: string, connections: number) {
    this.#port = Number(new URL(gatewayUrl).port);
    this.grow(connections);
  }

  /** Opens this many connections more. */
  grow(count: number): void {
    for (let opened = 0; opened < count; opened += 1) {
      this.#connections.push(this.#open(this.#connections.length));
    }
  }

  /** Requests whose answer may still come. */
  get underWay(): number {
    return this.#connections.reduce((sum, { underWay }) => sum + underWay, 0);
  }

  /** Sends requests on one connection; the next ones go on the next connection. */
  send(requests: readonly Buffer[]): void {
    this.#turn = (this.#turn + 1) % this.#connections.length;
    const connection = this.#connections[this.#turn];
    if (connection !== undefined) {
      connection.isNew = false;
      connection.underWay += requests.length;
      connection.socket.write(Buffer.concat(requests));
    }
  }

  /** Sends one request on each connection that has had none. */
  sendOnNew(request: Buffer): void {
    for (const connection of this.#connections.filter(({ isNew }) => isNew)) {
      connection.isNew = false;
      connection.underWay += 1;
      connection.socket.write(request);
    }
  }

  /** Ends this many connections; others follow. */
  renew(count: number): void {
    for (let ended = 0; ended < count; ended += 1) {
      this.#turn = (this.#turn + 1) % this.#connections.length;
      this.#connections[this.#turn]?.socket.resetAndDestroy();
    }
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    for (const { socket } of this.#connections) {
      socket.destroy();
    }
  }

  #open(index: number): Connection {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    const connection = { socket, underWay: 0, isNew: true };
    let rest = '';
    socket.on('data', (chunk: Buffer) => {
      const text = rest + chunk.toString('latin1');
      rest = text.slice(-restLength);
      for (const [, status] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        this.answers.set(Number(status), (this.answers.get(Number(status)) ?? 0) + 1);
        connection.underWay -= 1;
      }
    });
    // A reset counts as an end.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#isOver) {
        this.#connections[index] = this.#open(index);
      }
    });
    return connection;
  }
}
