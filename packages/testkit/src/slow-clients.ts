import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** The bytes that one of them sends. */
export interface SlowRequest {
  /** Sent at once. */
  readonly text: string;
  /** Sent piece by piece, every `everyMs`; empty for a client that sends nothing more. */
  readonly dribble: string;
}

const everyMs = 500;
/** More at once would overrun the queue of connections that wait to be accepted. */
const batch = 100;

/** Clients that hold connections for as long as they can. */
export class SlowClients implements AsyncDisposable {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();
  readonly #received: string[] = [];
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(port: number) {
    this.#port = port;
  }

  /** Opens this many connections more; resolves when all are open. */
  async open(count: number, requestOf: (index: number) => SlowRequest): Promise<void> {
    for (let from = 0; from < count; from += batch) {
      const size = Math.min(batch, count - from);
      await Promise.all(Array.from({ length: size }, (_, index) => this.#open(requestOf(from + index))));
    }
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** The answers so far whose status line continues like this after the version. */
  answers(start: string): string[] {
    return this.#received.filter((answer) => answer.startsWith(`HTTP/1.1 ${start}`));
  }

  async #open({ text, dribble }: SlowRequest): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port: this.#port });
    socket.on('data', (chunk) => this.#received.push(chunk.toString('latin1')));
    // A reset counts as an end.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    await once(socket, 'connect');
    this.#sockets.add(socket);
    socket.write(text);
    if (dribble !== '') {
      this.#timers.push(setInterval(() => socket.writable && socket.write(dribble), everyMs));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) {
      clearInterval(timer);
    }
    for (const socket of this.#sockets) {
      socket.destroy();
    }
  }
}
