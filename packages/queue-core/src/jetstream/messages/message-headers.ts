import type { MsgHdrs } from '@nats-io/transport-node';

/** The operations on the headers of a message before it is sent; the client's own headers have them as well. */
export type OutgoingHeaders = Pick<MsgHdrs, 'get' | 'set' | 'delete'>;

/**
 * The headers of an outgoing message, in the layout of NATS ADR-4. The client's own class also supports reading:
 * looking up a name in three ways costs 2 µs a message, and garbage collection.
 */
export class MessageHeaders implements OutgoingHeaders {
  readonly #names: string[] = [];
  readonly #values: string[] = [];

  /** Throws if name or value would end the header early (P7). */
  set(name: string, value: string): void {
    if (hasLineEnd(name) || hasLineEnd(value)) {
      throw new TypeError(`the header ${JSON.stringify(name)} may not hold a line break`);
    }
    const at = this.#names.indexOf(name);
    const place = at < 0 ? this.#names.length : at;
    this.#names[place] = name;
    this.#values[place] = value;
  }

  /** Empty if the header is not set. */
  get(name: string): string {
    return this.#values[this.#names.indexOf(name)] ?? '';
  }

  delete(name: string): void {
    const at = this.#names.indexOf(name);
    if (at >= 0) {
      this.#names.splice(at, 1);
      this.#values.splice(at, 1);
    }
  }

  /** The only method that the client calls on the headers of a published message. */
  encode(): Uint8Array {
    let text = 'NATS/1.0\r\n';
    for (let at = 0; at < this.#names.length; at++) {
      text += `${this.#names[at]}: ${this.#values[at]}\r\n`;
    }
    return Buffer.from(`${text}\r\n`);
  }
}

/** A tenth of what a regular expression takes, for values of some hundred characters. */
function hasLineEnd(text: string): boolean {
  return text.includes('\n') || text.includes('\r');
}
