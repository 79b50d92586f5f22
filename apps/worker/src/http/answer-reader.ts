import { type AnswerHead, parseHead, parseStatusLine } from './answer-head.ts';
import { BadAnswerError } from './bad-answer.ts';
import type { Framing } from './framing.ts';

/** Receives the events of the response to one request. */
export interface AnswerListener {
  /** The first byte has arrived. */
  onFirstByte(): void;
  /** A valid status line has arrived. The headers may still be missing, or turn out to be malformed. */
  onStatus(status: number): void;
  onHead(head: AnswerHead): void;
}

const protocol = Buffer.from('HTTP/');
const nothing = Buffer.alloc(0);
const switchingProtocols = 101;

/**
 * Parses the heads of responses on their way from a socket to undici. undici's own parser rejects many heads that RFC 9112
 * allows a client to accept, and a function whose response is rejected has run for nothing. Interim responses are dropped.
 * undici receives a minimal head, just enough to find the end of the body, and then the body unchanged.
 */
export class AnswerReader {
  readonly #maxHeadBytes: number;
  #listener: AnswerListener | undefined;
  /** The bytes of an incomplete head. */
  #held: Buffer = nothing;
  #isSilent = true;
  #isStatusKnown = false;

  constructor(maxHeadBytes: number) {
    this.#maxHeadBytes = maxHeadBytes;
  }

  /** Call this before sending a request: the next bytes are the head of its response. */
  expect(listener: AnswerListener): void {
    this.#listener = listener;
    this.#held = nothing;
    this.#isSilent = true;
    this.#isStatusKnown = false;
  }

  /**
   * Takes bytes from the socket and returns the bytes for undici, if any.
   * @throws BadAnswerError for a malformed head
   */
  read(chunk: Buffer): Buffer | undefined {
    const listener = this.#listener;
    if (listener === undefined) {
      return chunk; // part of a body, or unsolicited
    }
    if (this.#isSilent) {
      this.#isSilent = false;
      listener.onFirstByte();
    }
    // The empty line may have begun in the earlier bytes.
    let from = Math.max(0, this.#held.length - 3);
    let bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      bytes = withoutLineEnds(bytes);
      const text = headOf(bytes, from);
      if (text === undefined || text.length > this.#maxHeadBytes) {
        this.#hold(bytes, listener);
        return undefined;
      }
      const head = this.#parse(text, listener);
      bytes = bytes.subarray(text.length);
      from = 0;
      if (head.status >= 200) {
        this.#listener = undefined;
        this.#held = nothing;
        listener.onHead(head);
        return Buffer.concat([toPlainHead(head), bytes]);
      }
    }
  }

  /** Call this when the server closes the connection. @throws BadAnswerError in the middle of a head */
  end(): void {
    if (this.#listener !== undefined && !this.#isSilent) {
      throw new BadAnswerError('the server closed the connection before the headers were complete');
    }
  }

  #parse(text: string, listener: AnswerListener): AnswerHead {
    const head = parseHead(text);
    if (head.status !== undefined) {
      this.#tellStatus(head.status, listener);
    }
    if (head.kind === 'malformed') {
      throw new BadAnswerError(head.reason);
    }
    if (head.status === switchingProtocols) {
      throw new BadAnswerError('the response switches protocols (101), which the request did not ask for');
    }
    return head;
  }

  /** Keeps an incomplete head until the rest arrives, unless it is malformed or too large already. */
  #hold(bytes: Buffer, listener: AnswerListener): void {
    if (!protocol.subarray(0, bytes.length).equals(bytes.subarray(0, protocol.length))) {
      throw new BadAnswerError('the response does not begin with a status line of HTTP/1');
    }
    if (!this.#isStatusKnown) {
      const line = bytes.toString('latin1', 0, bytes.indexOf('\n') + 1);
      const status = parseStatusLine(line)?.status;
      if (status !== undefined) {
        this.#tellStatus(status, listener);
      } else if (line !== '') {
        throw new BadAnswerError('the response does not begin with a status line of HTTP/1');
      }
    }
    if (bytes.length > this.#maxHeadBytes) {
      throw new BadAnswerError(`the headers are larger than ${this.#maxHeadBytes} bytes`, 'headers_too_large');
    }
    this.#held = bytes;
  }

  /** Not called for interim responses, whose status means nothing. */
  #tellStatus(status: number, listener: AnswerListener): void {
    if (status >= 200 && !this.#isStatusKnown) {
      this.#isStatusKnown = true;
      listener.onStatus(status);
    }
  }
}

/** Some servers send extra line ends after a body. */
function withoutLineEnds(bytes: Buffer): Buffer {
  let at = 0;
  while (bytes[at] === 13 || bytes[at] === 10) {
    at++;
  }
  return at === 0 ? bytes : bytes.subarray(at);
}

const emptyLine = Buffer.from('\n\r\n');

/** The head (latin1) with the empty line after its fields, which is searched from `from`; undefined if it is incomplete. */
function headOf(bytes: Buffer, from: number): string | undefined {
  const end = bytes.indexOf(emptyLine, from);
  const text = bytes.toString('latin1', 0, end < 0 ? bytes.length : end + emptyLine.length);
  const bare = text.indexOf('\n\n', from);
  return bare >= 0 ? text.slice(0, bare + 2) : end < 0 ? undefined : text;
}

/** The minimal head for undici. */
function toPlainHead({ status, framing }: AnswerHead): Buffer {
  return Buffer.from(`HTTP/1.1 ${status} \r\n${bodyField(framing)}${connectionField(framing)}\r\n`, 'latin1');
}

function bodyField({ body }: Framing): string {
  switch (body) {
    case 'none':
    case 'until_close':
      return '';
    case 'chunked':
      return 'transfer-encoding: chunked\r\n';
    default:
      return `content-length: ${body}\r\n`;
  }
}

function connectionField({ keepAlive, idleSeconds }: Framing): string {
  if (!keepAlive) {
    return 'connection: close\r\n';
  }
  return idleSeconds === undefined ? '' : `keep-alive: timeout=${idleSeconds}\r\n`;
}
