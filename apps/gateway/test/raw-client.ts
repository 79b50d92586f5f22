import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from '@asyncfn/testkit';

/** A TCP connection that sends bytes as they are, for requests that no HTTP client would send. */
export class RawClient implements AsyncDisposable {
  readonly socket: Socket;
  #received = '';
  #ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1');
    });
    socket.on('close', () => {
      this.#ended = true;
    });
    // A reset counts as an end.
    socket.on('error', () => undefined);
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1' });
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Everything that has come so far, as latin1. */
  get received(): string {
    return this.#received;
  }

  /** The connection is closed. */
  get ended(): boolean {
    return this.#ended;
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** Waits for an answer with its body, and returns everything that was received. */
  async answer(pattern: RegExp = /\r\n\r\n.+/s): Promise<string> {
    await eventually(() => pattern.test(this.#received), { message: `no answer like ${pattern}` });
    return this.#received;
  }

  async closed(): Promise<string> {
    await eventually(() => this.#ended, { message: 'the connection was not closed' });
    return this.#received;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
  }
}

/** Sends one request as it is and returns the answer, as latin1. */
export async function exchange(port: number, request: string): Promise<string> {
  await using client = await RawClient.connect(port);
  client.send(request);
  return await client.answer();
}

/** A POST without a body. `target` is used as it is. */
export function post(target: string, headers = ''): string {
  return `POST ${target} HTTP/1.1\r\nHost: localhost\r\n${headers}Content-Length: 0\r\n\r\n`;
}
