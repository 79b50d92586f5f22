import type { CallStatus } from '../api/index.ts';

/** A line of the results as the gateway writes it. */
export interface ResultLine {
  readonly index: number;
  readonly callId: string;
  readonly function: string;
  readonly status: CallStatus | 'unknown';
  readonly functionStatus?: number;
  readonly contentType?: string;
  readonly body?: string;
  readonly bodyBase64?: string;
}

/** What became of one call of a batch. */
export class BatchResult {
  /** The place of the call among those that were sent, from 0. */
  readonly index: number;
  readonly callId: string;
  readonly function: string;
  /** `unknown` if nothing is kept of the call any more. */
  readonly status: CallStatus | 'unknown';
  readonly functionStatus: number | undefined;
  readonly contentType: string | undefined;
  /** The function's response; undefined if there is none, or none is kept. */
  readonly body: Uint8Array<ArrayBuffer> | undefined;

  constructor(line: ResultLine) {
    this.index = line.index;
    this.callId = line.callId;
    this.function = line.function;
    this.status = line.status;
    this.functionStatus = line.functionStatus;
    this.contentType = line.contentType;
    this.body = toBytes(line);
  }

  /** The body as UTF-8 text; empty if there is none. */
  text(): string {
    return new TextDecoder().decode(this.body);
  }

  /**
   * The body as JSON.
   *
   * @throws SyntaxError if it is not
   */
  json<T = unknown>(): T {
    return JSON.parse(this.text()) as T;
  }
}

function toBytes({ body, bodyBase64 }: ResultLine): Uint8Array<ArrayBuffer> | undefined {
  if (bodyBase64 !== undefined) {
    return Uint8Array.from(atob(bodyBase64), (character) => character.charCodeAt(0));
  }
  return body === undefined ? undefined : new TextEncoder().encode(body);
}
