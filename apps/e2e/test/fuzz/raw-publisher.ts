import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { RawMessage } from './mutated-message.ts';

/** Sends messages as they are, because the client refuses to send malformed ones. */
export class RawPublisher implements AsyncDisposable {
  readonly #socket: Socket;
  /** The errors that the server has reported. */
  readonly complaints: string[] = [];
  #received = '';

  private constructor(socket: Socket) {
    this.#socket = socket.setEncoding('latin1').on('data', (text: string) => this.#read(text));
  }

  static async open(port: number): Promise<RawPublisher> {
    const publisher = new RawPublisher(connect(port, '127.0.0.1'));
    publisher.#socket.write('CONNECT {"verbose":false,"pedantic":false,"headers":true}\r\n');
    await publisher.flush();
    return publisher;
  }

  /** Sends a message without an answer; resolves when there is room for the next one. */
  async publish({ subject, headers, body }: RawMessage): Promise<void> {
    const line = `HPUB ${subject} ${headers.length} ${headers.length + body.length}\r\n`;
    const hasRoom = this.#socket.write(Buffer.concat([Buffer.from(line), headers, body, Buffer.from('\r\n')]));
    if (!hasRoom) {
      await once(this.#socket, 'drain');
    }
  }

  /** Resolves when the server has read everything that was sent. */
  async flush(): Promise<void> {
    this.#socket.write('PING\r\n');
    await once(this.#socket, 'pong');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.end();
    await once(this.#socket, 'close');
  }

  #read(text: string): void {
    const lines = (this.#received + text).split('\r\n');
    this.#received = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'PONG') {
        this.#socket.emit('pong');
      } else if (line === 'PING') {
        this.#socket.write('PONG\r\n');
      } else if (line.startsWith('-ERR')) {
        this.complaints.push(line);
      }
    }
  }
}
