import type { Broker } from './broker.ts';

/** Between two pings, in milliseconds. */
export const pulseMs = 250;

/**
 * Tells how old what this process has heard of the broker may be. A connection keeps the order of messages: when the answer to a
 * ping is read, all that the server had sent before the ping came to it has been read as well. So it counts when the
 * answered ping was sent, not when its answer came: a process that stood still may find the answer and much of what came
 * after it in its socket.
 */
export class BrokerPulse {
  readonly #broker: Pick<Broker, 'connected' | 'connection' | 'onConnect'>;
  readonly #now: () => number;
  #heardUntil = Number.NEGATIVE_INFINITY;

  /** @param now monotonic clock in milliseconds */
  constructor(
    broker: Pick<Broker, 'connected' | 'connection' | 'onConnect'>,
    now: () => number = performance.now.bind(performance),
  ) {
    this.#broker = broker;
    this.#now = now;
    // A new connection has nothing that is older.
    broker.onConnect(() => {
      this.#heardUntil = this.#now();
    });
  }

  /** All that the broker had sent that long ago has been read. */
  get silentForMs(): number {
    return this.#now() - this.#heardUntil;
  }

  /** One ping. Resolves when it is answered, or the connection is lost. */
  async beat(): Promise<void> {
    const sentAt = this.#now();
    const { connection, connected } = this.#broker;
    if (!connected || connection === undefined) {
      return;
    }
    try {
      await connection.flush();
      this.#heardUntil = Math.max(this.#heardUntil, sentAt);
    } catch {
      // The next connection begins again.
    }
  }
}
