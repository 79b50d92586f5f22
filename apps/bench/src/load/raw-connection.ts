import { connect, type Socket } from 'node:net';

/** Called when an answer is complete. */
export type OnAnswer = (status: number, tookMs: number) => void;

/**
 * One keep-alive connection that sends one prepared request after the other. It implements only as much HTTP as it
 * needs to find the end of an answer, so that the load generator takes little CPU time from the subject.
 */
export class RawConnection {
  readonly #next: () => Buffer;
  readonly #onAnswer: OnAnswer;
  readonly #socket: Socket;
  #received = '';
  #sentAt = 0;
  #isStopped = false;

  /** @param next returns the bytes of the next request */
  constructor(port: number, next: () => Buffer, onAnswer: OnAnswer) {
    this.#next = next;
    this.#onAnswer = onAnswer;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.on('connect', () => this.#send());
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk.toString('latin1')));
  }

  /** Resolves when the connection has ended; rejects if it broke. */
  get ended(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once('error', reject);
      this.#socket.once('close', () => (this.#isStopped ? resolve() : reject(new Error('the server hung up'))));
    });
  }

  /** Sends no more; ends after the answer that is under way. */
  stop(): void {
    this.#isStopped = true;
  }

  #send(): void {
    if (this.#isStopped) {
      this.#socket.end();
      return;
    }
    this.#sentAt = performance.now();
    this.#socket.write(this.#next());
  }

  #receive(chunk: string): void {
    this.#received = this.#received === '' ? chunk : this.#received + chunk;
    if (isComplete(this.#received)) {
      const status = Number(this.#received.slice(9, 12));
      this.#received = '';
      this.#onAnswer(status, performance.now() - this.#sentAt);
      this.#send();
    }
  }
}

const lengthHeader = /\r\ncontent-length: *(\d+)/i;

function isComplete(received: string): boolean {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) {
    return false;
  }
  const length = Number(lengthHeader.exec(received)?.[1] ?? 0);
  return received.length >= headEnd + 4 + length;
}

export interface RequestShape {
  readonly path: string;
  readonly bodyBytes: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The bytes of a POST. */
export function toRequest({ path, bodyBytes, headers = {} }: RequestShape): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const head = [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    'User-Agent: asyncfn-bench',
    'Content-Type: application/octet-stream',
    `Content-Length: ${bodyBytes}`,
    ...lines,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${'x'.repeat(bodyBytes)}`, 'latin1');
}
