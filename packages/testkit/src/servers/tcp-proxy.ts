import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

export interface TcpTarget {
  /** Default `127.0.0.1`. */
  host?: string;
  port: number;
}

/** Stands between a client and a server and breaks the connection on demand. */
export interface TcpProxy extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Resets every connection, and each new one at once, like a server that is down. The port stays ours meanwhile. */
  cut(): void;
  /** Lets connections stand and accepts new ones, but no byte passes: a partition, or a machine that hangs. */
  stall(): void;
  /** Delivers every byte `ms` milliseconds later, in each direction. */
  delay(ms: number): void;
  /** Back to normal: held bytes flow on, nothing is delayed. */
  heal(): void;
  close(): Promise<void>;
}

/** Starts a proxy to `target` on a free port of 127.0.0.1. */
export async function startTcpProxy(target: TcpTarget): Promise<TcpProxy> {
  const proxy = new BreakableProxy(target);
  await proxy.listen();
  return proxy;
}

interface Held {
  chunk: Buffer;
  dueAt: number;
}

class BreakableProxy implements TcpProxy {
  readonly host = '127.0.0.1';
  readonly #target: TcpTarget;
  readonly #server = createServer({ allowHalfOpen: true });
  readonly #sockets = new Map<Socket, Socket>();
  #isCut = false;
  #isStalled = false;
  #delayMs = 0;
  #flow: Promise<void> = Promise.resolve();
  #resume: () => void = () => {};

  constructor(target: TcpTarget) {
    this.#target = target;
    this.#server.on('connection', (client) => this.#accept(client));
  }

  async listen(): Promise<void> {
    this.#server.listen(0, this.host);
    await once(this.#server, 'listening');
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#sockets.size;
  }

  cut(): void {
    this.#isCut = true;
    for (const [client, upstream] of this.#sockets) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  }

  stall(): void {
    if (this.#isStalled) {
      return;
    }
    this.#isStalled = true;
    this.#flow = new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  delay(ms: number): void {
    this.#delayMs = ms;
  }

  heal(): void {
    this.#isCut = false;
    this.#isStalled = false;
    this.#delayMs = 0;
    this.#resume();
  }

  async close(): Promise<void> {
    if (!this.#server.listening) {
      return;
    }
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #accept(client: Socket): void {
    // The server's side of the connection breaks whenever a test wants it to; the pipelines report the end.
    client.on('error', () => {});
    if (this.#isCut) {
      return void client.resetAndDestroy();
    }
    const upstream = connect({ host: this.#target.host ?? '127.0.0.1', port: this.#target.port, allowHalfOpen: true });
    this.#sockets.set(client, upstream);
    void this.#join(client, upstream);
  }

  async #join(client: Socket, upstream: Socket): Promise<void> {
    try {
      await Promise.all([
        pipeline(client, this.#stamp(), this.#hold(), upstream),
        pipeline(upstream, this.#stamp(), this.#hold(), client),
      ]);
    } catch {
      client.destroy();
      upstream.destroy();
    } finally {
      this.#sockets.delete(client);
    }
  }

  /** Notes when each chunk is due, so that the delay is a latency and does not add up over a burst. */
  #stamp(): Transform {
    return new Transform({
      readableObjectMode: true,
      readableHighWaterMark: 1024,
      transform: (chunk: Buffer, _encoding, done) =>
        done(null, { chunk, dueAt: performance.now() + this.#delayMs } satisfies Held),
    });
  }

  #hold(): Transform {
    return new Transform({
      writableObjectMode: true,
      transform: ({ chunk, dueAt }: Held, _encoding, done) => {
        this.#passage(dueAt).then(() => done(null, chunk), done);
      },
    });
  }

  async #passage(dueAt: number): Promise<void> {
    const waitMs = dueAt - performance.now();
    if (waitMs > 0) {
      await sleep(waitMs);
    }
    await this.#flow;
  }
}
