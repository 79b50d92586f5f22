import type { Socket } from 'node:net';

export interface WaitEndOptions {
  /** The connection of the client that waits. */
  readonly socket: Socket;
  /** Aborts when the gateway stops. */
  readonly stopping: AbortSignal;
  /** The longest wait, in milliseconds. Default: none. */
  readonly waitMs?: number;
}

/** Aborts its signal when the client is gone, when the gateway stops, or when the time is up. */
export class WaitEnd implements Disposable {
  readonly #options: WaitEndOptions;
  readonly #over = new AbortController();
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #end = (): void => this.#over.abort();

  constructor(options: WaitEndOptions) {
    const { socket, stopping, waitMs } = options;
    this.#options = options;
    this.#timer = waitMs === undefined ? undefined : setTimeout(this.#end, waitMs);
    socket.once('close', this.#end);
    stopping.addEventListener('abort', this.#end, { once: true });
    // An abort before the listener was added does not call it.
    if (socket.destroyed || stopping.aborted) {
      this.#end();
    }
  }

  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Whether the client is still there. */
  readonly isHeard = (): boolean => !this.#options.socket.destroyed;

  [Symbol.dispose](): void {
    const { socket, stopping } = this.#options;
    clearTimeout(this.#timer);
    socket.off('close', this.#end);
    stopping.removeEventListener('abort', this.#end);
  }
}
