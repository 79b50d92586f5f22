import { setImmediate } from 'node:timers/promises';

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
const openObject = 0x7b;
const closeObject = 0x7d;
const openArray = 0x5b;
const closeArray = 0x5d;
/** Bytes that are scanned at once: other requests get their turn in between. */
const bytesAtOnce = 256 * 1024;

/**
 * Finds the elements of the member `calls` of a JSON object, without parsing them, so that they can be parsed one after
 * the other: a parsed document takes many times its size. Undefined if the document, apart from its calls, is not JSON.
 */
export async function splitDocument(document: Buffer): Promise<SplitDocument | undefined> {
  const scan = new Scan(document);
  while (!scan.goOn()) {
    await setImmediate();
  }
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
  #at = 0;
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

  /** Scans some more; returns whether that was the rest. */
  goOn(): boolean {
    const bytes = this.#bytes;
    const end = Math.min(bytes.length, this.#at + bytesAtOnce);
    let at = this.#at;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte === quote) {
        at = this.#skipString(at);
      } else if (byte === openObject || byte === openArray) {
        this.#open(byte, at);
      } else if (byte === closeObject || byte === closeArray) {
        this.#close(at);
      } else if (byte === colon && this.#depth === 1) {
        this.#member = this.#lastString;
      } else if (byte === comma && this.#depth === 2 && this.#inCalls) {
        this.#cut(at);
      }
    }
    this.#at = at;
    return at >= bytes.length;
  }

  /** Returns the end of the string. */
  #skipString(start: number): number {
    const bytes = this.#bytes;
    let end = bytes.indexOf(quote, start + 1);
    while (end >= 0 && this.#isEscaped(end)) {
      end = bytes.indexOf(quote, end + 1);
    }
    if (end < 0) {
      return bytes.length;
    }
    if (this.#depth === 1) {
      this.#lastString = bytes.toString('utf8', start, Math.min(end + 1, start + 16));
    }
    return end;
  }

  /** Whether an odd number of backslashes is before it. */
  #isEscaped(at: number): boolean {
    let before = at - 1;
    while (this.#bytes[before] === backslash) {
      before -= 1;
    }
    return (at - before) % 2 === 0;
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
