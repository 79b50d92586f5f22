import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { eventually } from '@asyncfn/testkit';

/** A receiver of callbacks that keeps the heads of requests as they came over the wire, and answers 204 to each. */
export class WireReceiver implements AsyncDisposable {
  /** Request line and headers of each request, latin1. */
  readonly heads: string[] = [];
  readonly #server = createServer((socket) => {
    let received = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const [head, body = ''] = received.split('\r\n\r\n');
      const length = Number(/^content-length: *(\d+)/im.exec(head ?? '')?.[1] ?? 0);
      if (head !== undefined && received.includes('\r\n\r\n') && body.length >= length) {
        this.heads.push(head);
        socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n');
      }
    });
  });

  static async open(host: string): Promise<WireReceiver> {
    const receiver = new WireReceiver();
    receiver.#server.listen({ host, port: 0 });
    await once(receiver.#server, 'listening');
    return receiver;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The head of the callback of a call. */
  headOf(callId: string): Promise<string> {
    const isIts = (head: string): boolean => head.toLowerCase().includes(`\r\nx-call-id: ${callId.toLowerCase()}\r\n`);
    return eventually(() => this.heads.find(isIts), { message: `no callback of ${callId}` });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    await once(this.#server, 'close');
  }
}
