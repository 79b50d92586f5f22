import { Readable } from 'node:stream';
import { type BodyObject, type Call, emptyBody, type HeaderList } from '@asyncfn/queue-core';
import { after } from '@asyncfn/service-kit';
import type { Dispatcher } from 'undici';
import { type ByteShare, isReserved, uncountedBytes } from '../memory/index.ts';
import type { AnswerHead } from './answer-head.ts';
import type { AnswerListener } from './answer-reader.ts';
import { BadAnswerError } from './bad-answer.ts';
import type { AbortWatch } from './cheap-abort-signal.ts';
import { CollectedBody } from './collected-body.ts';
import type { ConnectionInfo, HttpAgent, TrackedRequest } from './http-agent.ts';
import type { LargeResponses, ResponseFailure, ResponseSink } from './large-responses.ts';

/** A body that is sent while it is read. */
export interface StreamedBody {
  /** In bytes. */
  readonly length: number;
  /** Begins to read it: once for each time that the request is sent. It may fail at any time. */
  readonly open: () => AsyncIterable<Uint8Array>;
}

/** One POST to a server that is not ours. */
export interface HttpRequest {
  /** `http://host:port` */
  readonly origin: string;
  /** Path and query, byte for byte. */
  readonly path: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array | StreamedBody;
  /** Deadline of the whole exchange, in milliseconds; 0 is none. */
  readonly timeoutMs: number;
  /** Largest response body that is accepted. */
  readonly maxResponseBytes: number;
  /** Counts the response body, which is read only as far as it has room. Released unless the result is an answer. */
  readonly room?: ByteShare | undefined;
  /** Takes a response body that is too large for the memory, as that of `call`. Default: all are kept in memory. */
  readonly responses?: LargeResponses | undefined;
  readonly call?: Call | undefined;
  /**
   * Whether only the status line counts: then it is the answer whatever follows, and the body is read only as far as
   * needed to reuse the connection.
   */
  readonly statusOnly?: boolean | undefined;
  /** Called when the request is sent over an open connection; twice if it is sent twice. */
  readonly onSent?: (() => void) | undefined;
  /** Aborts the exchange. */
  readonly signal?: AbortWatch | undefined;
}

interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  /** Names and values as received (latin1), without control characters. */
  readonly headers: HeaderList;
  /** Empty with `statusOnly`, and for a body that is stored apart. */
  readonly body: Uint8Array;
  /** The body, if it is stored apart. */
  readonly object?: BodyObject;
}

/** How an exchange ended. Expected results are values: none of them is our own fault. */
export type HttpOutcome = (
  | HttpAnswer
  /** No byte of a response arrived. `code` is from the socket or from undici. */
  | { readonly kind: 'unreachable'; readonly code: string; readonly error: Error }
  /** Bytes arrived, but not a complete HTTP/1 response. */
  | { readonly kind: 'bad_response'; readonly code: string; readonly error: Error }
  | { readonly kind: 'deadline' }
  /** The body of the request could not be read to its end, so the other side has not received it as a whole. */
  | { readonly kind: 'body_failed'; readonly code: string; readonly error: Error }
  /** The body of the response could not be stored. */
  | { readonly kind: 'not_stored'; readonly code: string; readonly error: Error }
  /** The headers, the body or the trailers are larger than allowed. `code` says it if the broker does not allow it. */
  | { readonly kind: 'too_large'; readonly code?: string; readonly error: Error }
  /** `signal` has aborted. */
  | { readonly kind: 'abandoned' }
) & {
  /** The request was sent twice: the server closed the first, reused connection without a byte of a response. */
  readonly resent?: true;
};

/** Sends the request and waits for the response. No redirect is followed. Never rejects. */
export function exchange(agent: HttpAgent, request: HttpRequest): Promise<HttpOutcome> {
  if (request.signal?.aborted) {
    return Promise.resolve({ kind: 'abandoned' });
  }
  return new Promise((resolve) => {
    new Exchange(agent, request, resolve).send();
  });
}

/**
 * Names and values alternating, as undici takes them. `Array.prototype.flat` takes ten times as long (1 µs for seven).
 */
function toFlatList(headers: HeaderList): string[] {
  const flat: string[] = [];
  for (const [name, value] of headers) {
    flat.push(name, value);
  }
  return flat;
}

const nothing = Buffer.alloc(0);

/** With `statusOnly`: how long to wait for the end of the body, in milliseconds. */
const unwantedBodyMs = 250;

/** A body of unknown length reserves bytes in steps of this size. */
const stepBytes = 256 * 1024;

/** Follows one exchange through undici to exactly one outcome. */
class Exchange implements Dispatcher.DispatchHandler, AnswerListener {
  readonly #agent: HttpAgent;
  readonly #request: HttpRequest;
  readonly #resolve: (outcome: HttpOutcome) => void;
  #body = new CollectedBody();
  /** Takes the body if it is large. */
  #sink: ResponseSink | undefined;
  /** Why the body of the request cannot be read. */
  #bodyError: Error | undefined;
  #stopTimer: (() => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #outcome: HttpOutcome | undefined;
  #info: ConnectionInfo | undefined;
  /** Whether the connection has carried an earlier request. */
  #isReused = false;
  /** Whether a fresh connection is used, after a reused one was closed. */
  #isRetried = false;
  #timesSent = 0;
  #sentAt = 0;
  #isSilent = true;
  #status = 0;
  #headers: HeaderList = [];
  #bytes = 0;
  /** Length of the response body by its head; 0 if unknown. */
  #announcedBytes = 0;
  /** When `timeoutMs` have passed, on the monotonic clock. */
  #deadline = 0;

  constructor(agent: HttpAgent, request: HttpRequest, resolve: (outcome: HttpOutcome) => void) {
    this.#agent = agent;
    this.#request = request;
    this.#resolve = resolve;
  }

  send(): void {
    const { timeoutMs, signal } = this.#request;
    if (timeoutMs > 0) {
      this.#deadline = performance.now() + timeoutMs;
      this.#startTimer(timeoutMs);
    }
    signal?.addEventListener('abort', this.#abandon, { once: true });
    this.#dispatch('dispatch');
  }

  #startTimer(ms: number): void {
    this.#stopTimer = after(ms, () => this.#end({ kind: 'deadline' }));
  }

  #dispatch(how: 'dispatch' | 'dispatchAlone'): void {
    const { origin, path, headers, body } = this.#request;
    const request: TrackedRequest = {
      origin,
      path,
      method: 'POST',
      ...this.#toSend(headers, body),
      // The deadline is ours alone: undici's own limits (300 s) would end long calls (0 is none).
      headersTimeout: 0,
      bodyTimeout: 0,
      onConnection: (info) => {
        this.#info = info;
        this.#isReused = info.reader !== undefined;
      },
    };
    try {
      this.#agent[how](request, this);
    } catch (error) {
      this.onResponseError(undefined, error instanceof Error ? error : new Error(String(error)));
    }
  }

  #toSend(headers: HeaderList, body: HttpRequest['body']): Pick<TrackedRequest, 'headers' | 'body'> {
    const flat = toFlatList(headers);
    if (body instanceof Uint8Array) {
      return { headers: flat, body };
    }
    flat.push('Content-Length', String(body.length));
    return { headers: flat, body: Readable.from(this.#read(body)) };
  }

  async *#read(body: StreamedBody): AsyncGenerator<Uint8Array> {
    try {
      yield* body.open();
    } catch (error) {
      this.#bodyError = error instanceof Error ? error : new Error(String(error));
      throw error;
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#outcome !== undefined) {
      controller.abort(new Error(this.#outcome.kind)); // it ended while waiting for a connection
    } else if (this.#info !== undefined) {
      this.#timesSent += 1;
      this.#sentAt = performance.now();
      this.#isReused = this.#info.requests > 0;
      this.#info.requests += 1;
      this.#info.reader?.expect(this);
      this.#request.onSent?.();
    }
  }

  onFirstByte(): void {
    this.#isSilent = false;
  }

  onStatus(status: number): void {
    this.#status = status;
  }

  onHead({ headers, framing }: AnswerHead): void {
    this.#headers = headers;
    this.#announcedBytes = typeof framing.body === 'number' ? framing.body : 0;
    if (this.#request.statusOnly) {
      this.#stopTimer?.();
      this.#startTimer(unwantedBodyMs);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytes += chunk.length;
    if (this.#bytes > this.#request.maxResponseBytes) {
      this.#endTooLarge();
    } else if (this.#isLarge()) {
      this.#passOn(controller, chunk);
    } else if (!this.#request.statusOnly) {
      const { room } = this.#request;
      this.#body.add(chunk, room !== undefined && room.bytes >= this.#announcedBytes ? this.#announcedBytes : 0);
      this.#makeRoom(controller);
    }
  }

  #endTooLarge(): void {
    this.#end({
      kind: 'too_large',
      error: new Error(`the body is larger than ${this.#request.maxResponseBytes} bytes`),
    });
  }

  #isLarge(): boolean {
    const { responses } = this.#request;
    return (
      responses !== undefined &&
      (this.#sink !== undefined || Math.max(this.#bytes, this.#announcedBytes) > responses.inlineBytes)
    );
  }

  /** Reads on once the piece has its place. The time until then does not count against the other side's deadline. */
  #passOn(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#announcedBytes > this.#request.maxResponseBytes) {
      this.#endTooLarge();
      return;
    }
    const written = this.#sink === undefined ? this.#beginToStore(chunk) : this.#sink.write(chunk);
    if (written !== undefined) {
      const pausedAt = performance.now();
      this.#stopTimer?.();
      controller.pause();
      void written.then(() => this.#resume(controller, pausedAt));
    } else if (this.#sink?.failure !== undefined) {
      this.#end(this.#sink.failure);
    }
  }

  /** What has been collected of it moves over. */
  async #beginToStore(chunk: Buffer): Promise<void> {
    const { responses, call, room } = this.#request;
    if (responses === undefined || call === undefined) {
      return;
    }
    const sink = responses.open(call, this.#headers);
    this.#sink = sink;
    this.#body.add(chunk, 0);
    if (room === undefined || (await isReserved(room, responses.bufferBytes))) {
      const collected = this.#body.toBuffer();
      this.#body = new CollectedBody();
      await sink.write(collected);
      room?.shrink(responses.bufferBytes);
    }
  }

  /** Reads on once the next bytes have room. The time until then does not count against the other side's deadline. */
  #makeRoom(controller: Dispatcher.DispatchController): void {
    const { room, maxResponseBytes } = this.#request;
    if (room === undefined || this.#bytes <= room.bytes) {
      return;
    }
    const steps = Math.ceil(this.#bytes / stepBytes) * stepBytes;
    const wanted =
      this.#announcedBytes > 0 ? this.#announcedBytes : this.#bytes <= uncountedBytes ? this.#bytes : steps;
    const pausedAt = performance.now();
    // Not in the middle of another response, which may be the one that released the bytes.
    const readOn = (): void => queueMicrotask(() => this.#resume(controller, pausedAt));
    if (!room.reserve(Math.min(wanted, maxResponseBytes), readOn)) {
      this.#stopTimer?.();
      controller.pause();
    }
  }

  #resume(controller: Dispatcher.DispatchController, pausedAt: number): void {
    if (this.#sink?.failure !== undefined) {
      this.#end(this.#sink.failure);
    }
    if (this.#outcome === undefined) {
      if (this.#deadline > 0) {
        this.#deadline += performance.now() - pausedAt;
        this.#startTimer(Math.max(1, this.#deadline - performance.now()));
      }
      controller.resume();
    }
  }

  onResponseEnd(): void {
    if (this.#sink !== undefined) {
      this.#stopTimer?.();
      void this.#sink.finish().then((stored) => this.#endStored(stored));
      return;
    }
    this.#request.room?.shrink(this.#bytes);
    this.#end(this.#answer(this.#body.toBuffer()));
  }

  #endStored(stored: BodyObject | ResponseFailure): void {
    if ('kind' in stored) {
      this.#end(stored);
    } else {
      this.#request.room?.release();
      this.#end({ kind: 'answer', status: this.#status, headers: this.#headers, body: emptyBody, object: stored });
    }
  }

  onResponseError(_: unknown, error: Error): void {
    if (this.#bodyError !== undefined) {
      this.#end({ kind: 'body_failed', code: codeOf(this.#bodyError), error: this.#bodyError });
      return;
    }
    if (this.#outcome === undefined && !this.#isRetried && this.#wasStale()) {
      this.#isRetried = true;
      this.#dispatch('dispatchAlone');
      return;
    }
    const code = codeOf(error);
    if (error instanceof BadAnswerError && error.code === 'headers_too_large') {
      this.#end({ kind: 'too_large', error });
    } else if (code === 'UND_ERR_HEADERS_OVERFLOW') {
      const tooLarge = new Error(`the trailers are larger than ${this.#agent.maxHeaderBytes} bytes`, { cause: error });
      this.#end({ kind: 'too_large', error: tooLarge });
    } else {
      this.#end({ kind: this.#isSilent ? 'unreachable' : 'bad_response', code, error });
    }
  }

  /** Whether the server, as far as we can see, closed a reused connection before reading the request. */
  #wasStale(): boolean {
    const isInTime = this.#timesSent === 0 || performance.now() - this.#sentAt < this.#agent.staleWithinMs;
    return this.#isReused && this.#isSilent && isInTime;
  }

  readonly #abandon = (): void => this.#end({ kind: 'abandoned' });

  #answer(body: Uint8Array): HttpAnswer {
    return { kind: 'answer', status: this.#status, headers: this.#headers, body };
  }

  #end(outcome: HttpOutcome): void {
    if (this.#outcome !== undefined) {
      return;
    }
    this.#outcome = outcome;
    this.#stopTimer?.();
    this.#request.signal?.removeEventListener('abort', this.#abandon);
    if (outcome.kind !== 'answer') {
      this.#request.room?.release();
      this.#sink?.abort();
    }
    if (outcome.kind !== 'answer' && outcome.kind !== 'unreachable') {
      this.#controller?.abort(new Error(outcome.kind)); // closes the socket, so that the other side can notice
    }
    const decided = this.#request.statusOnly && this.#status > 0 ? this.#answer(nothing) : outcome;
    this.#resolve(this.#timesSent > 1 ? { ...decided, resent: true } : decided);
  }
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
