/** A document with its calls apart. */
export interface SplitDocument {
  /** The document with an empty array of calls. */
  readonly rest: unknown;
  /** Where each call begins and ends in the document: pairs of offsets. */
  readonly calls: readonly (readonly [start: number, end: number])[];
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;
const colon = 0x3a;
const opening: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const closing: ReadonlySet<number> = new Set([0x7d, 0x5d]);
const openArray = 0x5b;

/**
 * Finds the elements of the member `calls` of a JSON object, without parsing them, so that they can be parsed one after the other: a
 * parsed document takes many times its size. Undefined if the document, apart from its calls, is not JSON.
 */
export function splitDocument(document: Buffer): SplitDocument | undefined {
  const scan = new Scan(document);
  scan.run();
  const { calls, from, to } = scan;
  const text = from < 0 ? document.toString() : `${document.toString('utf8', 0, from)}${document.toString('utf8', to)}`;
  try {
    return { rest: JSON.parse(text), calls };
  } catch {
    return undefined;
  }
}

/** One pass over the bytes. In UTF-8, no part of a longer character looks like one of those that matter here. */
class Scan {
  readonly calls: [start: number, end: number][] = [];
  /** The content of the array of calls; -1 for none. */
  from = -1;
  to = -1;
  readonly #bytes: Buffer;
  #depth = 0;
  /** The string before the last colon at depth 1. */
  #member = '';
  #lastString = '';
  /** Whether it is inside of the array of calls. */
  #inCalls = false;
  #start = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  run(): void {
    const bytes = this.#bytes;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte === quote) {
        at = this.#skipString(at);
      } else if (opening.has(byte)) {
        this.#open(byte, at);
      } else if (closing.has(byte)) {
        this.#close(at);
      } else if (byte === colon && this.#depth === 1) {
        this.#member = this.#lastString;
      } else if (byte === comma && this.#depth === 2 && this.#inCalls) {
        this.#cut(at);
      }
    }
  }

  /** Returns where the string ends. */
  #skipString(start: number): number {
    const bytes = this.#bytes;
    let end = start + 1;
    while (end < bytes.length && bytes[end] !== quote) {
      end += bytes[end] === backslash ? 2 : 1;
    }
    if (this.#depth === 1) {
      this.#lastString = bytes.toString('utf8', start, Math.min(end + 1, start + 16));
    }
    return end;
  }

  #open(byte: number, at: number): void {
    this.#depth += 1;
    if (this.#depth === 2 && byte === openArray && this.#member === '"calls"' && this.from < 0) {
      this.#inCalls = true;
      this.from = at + 1;
      this.#start = at + 1;
    }
  }

  #close(at: number): void {
    if (this.#depth === 2 && this.#inCalls) {
      this.#inCalls = false;
      this.to = at;
      const isEmpty = this.calls.length === 0 && this.#bytes.toString('utf8', this.#start, at).trim() === '';
      if (!isEmpty) {
        this.#cut(at);
      }
    }
    this.#depth -= 1;
  }

  #cut(at: number): void {
    this.calls.push([this.#start, at]);
    this.#start = at + 1;
  }
}
