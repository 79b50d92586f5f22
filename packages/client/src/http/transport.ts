import {
  AsyncfnError,
  checkOptions,
  OptionError,
  type OptionNames,
  ProblemError,
  type ProblemFields,
  UnexpectedAnswerError,
  UnreachableError,
} from '../errors/index.ts';
import { checkTimerMs } from './durations.ts';
import { joinUrl, toBaseUrl } from './request-url.ts';
import { parseRetryAfter } from './retry-after.ts';
import { type Failures, nextWaitMs, type RetryOptions, type RetryPolicy, toRetryPolicy } from './retry-policy.ts';
import { type Clock, systemClock } from './sleep.ts';
import { withTimeLimit } from './time-limit.ts';

/** A token, or what returns one before each request. */
export type Token = string | (() => string | Promise<string>);

export interface TransportOptions {
  /**
   * Where the gateway is: `http://127.0.0.1:8080`, or a path below which a proxy has it. Without user, password, query and
   * fragment.
   */
  readonly url: string | URL;
  /**
   * Sent as `Authorization: Bearer TOKEN`. A function is asked before each try, so that tokens can be replaced. Default: none,
   * for gateways that need none.
   */
  readonly token?: Token | undefined;
  /** When failed requests are sent again. */
  readonly retry?: RetryOptions;
  /**
   * How long one try of a request may take until its answer is read, in milliseconds; what a request waits for comes on top. 0
   * sets no limit. Default 30,000.
   */
  readonly requestTimeoutMs?: number;
  /** Sends the requests. Default: the global `fetch`. */
  readonly fetch?: typeof fetch;
}

const transportOptions: OptionNames<TransportOptions> = {
  url: true,
  token: true,
  retry: true,
  requestTimeoutMs: true,
  fetch: true,
};

/** What every method takes. */
export interface RequestOptions {
  /** Ends the request, its retries and waits. The promise is rejected with the reason of the signal. */
  readonly signal?: AbortSignal | undefined;
}

/** A request to the gateway. */
export interface ApiRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Encoded, with its query; a function says it anew for each try. */
  readonly path: string | (() => string);
  readonly headers?: Headers;
  readonly body?: Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array> | undefined;
  /**
   * When it may be sent again. `safe`: whatever has become of it, because twice is the same as once. `refused`: only after an
   * answer which says that nothing was done. `never`: its body can be read once.
   */
  readonly repeat: 'safe' | 'refused' | 'never';
  readonly signal?: AbortSignal | undefined;
  /** How long the gateway may wait before it answers, beside the time limit. */
  readonly waitMs?: number;
  /** No retry begins later than this, in milliseconds. Default: that of the client. */
  readonly maxElapsedMs?: number;
}

/** How one try has ended. */
export type Read<T> = (response: Response, retries: number) => Promise<T>;

/** Statuses of a server that may have carried out the request before it failed. */
const unclear: ReadonlySet<number> = new Set([502, 503, 504]);

/** Sends requests to one gateway. */
export class Transport {
  readonly clock: Clock;
  readonly #base: string;
  readonly #token: Token | undefined;
  readonly #policy: RetryPolicy;
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;

  /** @throws OptionError */
  constructor(options: TransportOptions, clock: Clock = systemClock) {
    checkOptions(options, transportOptions);
    this.clock = clock;
    this.#base = toBaseUrl(options.url);
    this.#token = options.token;
    this.#policy = toRetryPolicy(options.retry);
    this.#timeoutMs = checkTimerMs('requestTimeoutMs', options.requestTimeoutMs ?? 30_000);
    // Browsers and workers want their own `this`.
    this.#fetch = options.fetch ?? ((input, init) => globalThis.fetch(input, init));
  }

  /**
   * The content of a successful answer; the request is sent again as its policy allows.
   *
   * @param read is part of a try: if the connection breaks while it reads, the request is sent again
   * @param refusedAs what a refusal means, if it is no error; it is given the number of retries
   * @throws ProblemError for a refusal, UnreachableError without an answer, the reason of an aborted signal
   */
  async request<T>(
    request: ApiRequest,
    read: Read<T>,
    refusedAs: (problem: ProblemError, retries: number) => T | undefined = () => undefined,
  ): Promise<T> {
    const startedAt = this.clock.now();
    for (let retries = 0; ; retries++) {
      try {
        return await this.#try(request, (response) => read(response, retries));
      } catch (error) {
        request.signal?.throwIfAborted();
        const result = error instanceof ProblemError ? refusedAs(error, retries) : undefined;
        if (result !== undefined) {
          return result;
        }
        await this.#pause(error, request, { retries, elapsedMs: this.clock.now() - startedAt });
      }
    }
  }

  /** Waits until the request may be sent again; throws the error if it may not. */
  async #pause(error: unknown, request: ApiRequest, soFar: Pick<Failures, 'retries' | 'elapsedMs'>): Promise<void> {
    // The time in which the gateway waits is not one of trouble.
    const { maxElapsedMs = this.#policy.maxElapsedMs + (request.waitMs ?? 0) } = request;
    const policy = { ...this.#policy, maxElapsedMs };
    const retryAfterMs = error instanceof ProblemError ? error.retryAfterMs : undefined;
    const failures = { ...soFar, retryAfterMs, random: this.clock.random() };
    const waitMs = mayRepeat(error, request.repeat) ? nextWaitMs(policy, failures) : undefined;
    if (waitMs === undefined) {
      throw withKey(error, request.headers);
    }
    await this.clock.sleep(waitMs, request.signal);
  }

  /**
   * The pieces of an answer's body as they come. The request is sent again until its answer begins; nothing is after that.
   *
   * @param idleMs the longest time between two pieces
   * @param onOpen is called when the answer begins
   * @throws as `request()` does, and UnreachableError if the connection breaks or is silent
   */
  async *stream(
    request: ApiRequest,
    idleMs: number,
    onOpen?: (headers: Headers) => void,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    const response = await this.request(request, async (answer) => answer);
    onOpen?.(response.headers);
    const reader = response.body?.getReader();
    const abort = (): void => void reader?.cancel().catch(() => undefined);
    request.signal?.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        request.signal?.throwIfAborted();
        const next = await readWithin(reader, idleMs);
        request.signal?.throwIfAborted();
        if (next === undefined) {
          return;
        }
        yield next;
      }
    } finally {
      request.signal?.removeEventListener('abort', abort);
      abort();
    }
  }

  async #try<T>(request: ApiRequest, read: (response: Response) => Promise<T>): Promise<T> {
    const { path } = request;
    const url = joinUrl(this.#base, typeof path === 'function' ? path() : path);
    const limitMs = this.#timeoutMs === 0 ? 0 : this.#timeoutMs + (request.waitMs ?? 0);
    return await withTimeLimit(limitMs, request.signal, async (signal) => {
      const response = await this.#send(url, request, signal);
      try {
        return await read(response);
      } catch (error) {
        throw toUnreachable(error);
      }
    });
  }

  async #send(url: string, { method, headers: own, body }: ApiRequest, signal: AbortSignal): Promise<Response> {
    const headers = new Headers(own);
    const token = typeof this.#token === 'function' ? await this.#token() : this.#token;
    if (token !== undefined) {
      headers.set('Authorization', `Bearer ${checkToken(token)}`);
    }
    const init = { method, headers, signal, redirect: 'manual' as const };
    let response: Response;
    try {
      response = await this.#fetch(url, body === undefined ? init : { ...init, body, ...duplexOf(body) });
    } catch (error) {
      throw toUnreachable(error);
    }
    return await checkAnswer(response);
  }
}

/** The next piece of a body; undefined at its end. */
async function readWithin(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  idleMs: number,
): Promise<Uint8Array | undefined> {
  let isSilent = false;
  const timer = setTimeout(() => {
    isSilent = true;
    void reader?.cancel().catch(() => undefined);
  }, idleMs);
  try {
    const next = await reader?.read();
    if (isSilent) {
      throw new UnreachableError('timeout', `Nothing came for ${idleMs} ms`);
    }
    return next?.value;
  } catch (error) {
    throw toUnreachable(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Standards want to be told that a stream is sent before the answer comes. */
function duplexOf(body: unknown): { duplex?: 'half' } {
  return body instanceof ReadableStream ? { duplex: 'half' } : {};
}

/** Fetch would quote the token in its error. */
function checkToken(token: string): string {
  if (!/^[!-~]+$/.test(token)) {
    throw new OptionError('token: is empty, or has characters that no token has, such as the end of a line');
  }
  return token;
}

/** @throws ProblemError, UnexpectedAnswerError */
async function checkAnswer(response: Response): Promise<Response> {
  if (response.ok) {
    return response;
  }
  if (response.status < 400) {
    const to = response.headers.get('Location');
    throw new UnexpectedAnswerError(
      `The answer is a redirect${to === null ? '' : ` to ${to}`}, which is not followed: set url to the gateway itself`,
    );
  }
  const retryAfterMs = parseRetryAfter(response.headers.get('Retry-After'), Date.now());
  throw new ProblemError(response.status, await problemOf(response), retryAfterMs);
}

/** A proxy may have answered, and not with a problem. */
async function problemOf(response: Response): Promise<ProblemFields> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as ProblemFields) : {};
  } catch {
    return {};
  }
}

function mayRepeat(error: unknown, repeat: ApiRequest['repeat']): boolean {
  if (repeat === 'never') {
    return false;
  }
  if (error instanceof UnreachableError) {
    return repeat === 'safe';
  }
  if (!(error instanceof ProblemError)) {
    return false;
  }
  // Nothing was done; and without Retry-After, nothing says that it will be otherwise later.
  const isBusy = error.status === 429 && error.retryAfterMs !== undefined;
  return isBusy || (repeat === 'safe' && unclear.has(error.status));
}

/** What `fetch`, or reading a body, has thrown. The reason of a time limit or a signal comes first, by `withTimeLimit`. */
function toUnreachable(error: unknown): unknown {
  if (error instanceof AsyncfnError) {
    return error;
  }
  const { message = '', cause } = error instanceof Error ? error : {};
  const reason = cause instanceof Error && cause.message !== '' ? cause.message : message;
  return new UnreachableError('unreachable', `The gateway does not answer: ${reason}`, error);
}

function withKey(error: unknown, headers: Headers | undefined): unknown {
  const key = headers?.get('Idempotency-Key');
  if (error instanceof AsyncfnError && typeof key === 'string') {
    error.idempotencyKey = key;
  }
  return error;
}
