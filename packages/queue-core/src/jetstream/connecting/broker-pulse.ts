import type { Broker } from './broker.ts';

/** Between two pings, in milliseconds. */
export const pulseMs = 250;

/**
 * Measures how long the broker has been silent. A connection keeps the order of messages: when the answer to a ping is
 * read, everything that the server had sent before it received the ping has been read as well. So the time of the
 * answered ping counts, not that of its answer: a process that stood still may find the answer and many later messages
 * in its socket.
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
    // A new connection has no older messages.
    broker.onConnect(() => {
      this.#heardUntil = this.#now();
    });
  }

  /** Everything that the broker sent longer ago has been read. */
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
