import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { RawMessage } from './mutated-message.ts';

/** Puts messages on the wire as they are: the client would refuse to send what is malformed. */
export class RawPublisher implements AsyncDisposable {
  readonly #socket: Socket;
  /** What the server has complained about. */
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

  /** A message without an answer; resolves when there is room for the next one. */
  async publish({ subject, headers, body }: RawMessage): Promise<void> {
    const line = `HPUB ${subject} ${headers.length} ${headers.length + body.length}\r\n`;
    const hasRoom = this.#socket.write(Buffer.concat([Buffer.from(line), headers, body, Buffer.from('\r\n')]));
    if (!hasRoom) {
      await once(this.#socket, 'drain');
    }
  }

  /** Resolves when the server has read all that was sent. */
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
