import { atEndOfTick } from '../../end-of-tick.ts';

/**
 * Collects what one tick of the event loop wants to send, and sends it together. The NATS client writes to its socket
 * once a microtask: sent one by one, each message of a burst would be a write, a read and a parse of its own.
 */
export class TickBatch<T> {
  readonly #send: (items: readonly T[]) => void;
  #items: T[] = [];

  /** `send` gets the items in the order in which they were added. It must not throw. */
  constructor(send: (items: readonly T[]) => void) {
    this.#send = send;
  }

  add(item: T): void {
    if (this.#items.push(item) === 1) {
      atEndOfTick(() => this.flush());
    }
  }

  /** Sends at once what is waiting, for example before a connection is closed. */
  flush(): void {
    const items = this.#items;
    if (items.length > 0) {
      this.#items = [];
      this.#send(items);
    }
  }
}
