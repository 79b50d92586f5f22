import type { AcceptedCall } from '../api/index.ts';
import { checkOptions, OptionError, type OptionNames, UnexpectedAnswerError } from '../errors/index.ts';
import { checkMs, jsonOf, type RequestOptions, type Transport } from '../http/index.ts';
import { type CallBody, toPayload } from './call-body.ts';
import { type CallHeaderOptions, toCallHeaders, toCallPath } from './call-headers.ts';
import { CallResult } from './call-result.ts';
import { callHeaderOptions } from './option-names.ts';

const longestWaitMs = 60_000;

/** How a call, or a batch, is kept from being made twice. */
export interface CallKeyOptions {
  /**
   * Makes the call safe to repeat: 1 to 255 visible ASCII characters. Choose it yourself to be safe beyond this process, such as
   * the number of an order. Default: a random one for each call, kept over its retries; none for a stream, which is sent once.
   * `false` sends none: the call costs the gateway less, and is not retried unless the gateway says that it has not stored it.
   */
  readonly idempotencyKey?: string | false;
}

export interface CallOptions extends CallHeaderOptions, CallKeyOptions, RequestOptions {
  /**
   * How long the gateway waits for the result before it answers, in milliseconds: whole seconds, at most 60,000 (`Prefer: wait`).
   * The receipt has the `result` if it was there in time. Default: the gateway answers as soon as the call is stored.
   */
  readonly waitMs?: number;
}

const callOptions: OptionNames<CallOptions> = {
  ...callHeaderOptions,
  idempotencyKey: true,
  signal: true,
  waitMs: true,
};

/** An accepted call. */
export interface CallReceipt extends Omit<AcceptedCall, 'status'> {
  /** `queued`, `scheduled` if it is delayed; with a `result`, whether that is a success. */
  readonly status: AcceptedCall['status'] | 'succeeded' | 'failed';
  /** The function's response, if `waitMs` was given and it was there in time. */
  readonly result: CallResult | undefined;
  /** Whether an earlier request with the same key had made the call: perhaps an earlier try of this one. */
  readonly replayed: boolean;
  /** The key that it was sent with. */
  readonly idempotencyKey: string | undefined;
}

/** An answer to a call; that of a group is one for a batch. */
type Answer = Partial<Pick<CallReceipt, 'callId' | 'function' | 'status' | 'result'>> & { readonly batchId?: string };

export async function makeCall(
  transport: Transport,
  name: string,
  body: CallBody | undefined,
  options: CallOptions,
): Promise<CallReceipt> {
  const { answer, ...posted } = await postCall(transport, name, body, options, readAnswer);
  const { callId, function: called = name, status, result } = answer;
  if (callId === undefined || status === undefined) {
    throw new UnexpectedAnswerError(
      answer.batchId === undefined
        ? 'The answer to the call has no call id: is url that of a gateway?'
        : `${name} is a group: its calls are accepted as batch ${answer.batchId}; use callGroup()`,
    );
  }
  return { callId, function: called, status, result, ...posted };
}

/** 200 is the result; 202 says that the call is accepted. */
async function readAnswer(response: Response): Promise<Answer> {
  if (response.status !== 200 || !response.headers.has('X-Function-Status')) {
    return await jsonOf<Answer>(response);
  }
  const result = await CallResult.read(response);
  const callId = response.headers.get('X-Call-Id') ?? undefined;
  return { ...(callId !== undefined && { callId }), status: result.ok ? 'succeeded' : 'failed', result };
}

/** What a POST to a function or a group has led to. */
export interface Posted<T> {
  readonly answer: T;
  readonly replayed: boolean;
  readonly idempotencyKey: string | undefined;
}

export async function postCall<T>(
  transport: Transport,
  name: string,
  body: CallBody | undefined,
  options: CallOptions,
  read: (response: Response) => Promise<T>,
): Promise<Posted<T>> {
  checkOptions(options, callOptions);
  const path = `/async-function${toCallPath(name, options)}`;
  const payload = await toPayload(body);
  const headers = toCallHeaders(options, payload.contentType);
  if (!headers.has('Accept-Encoding')) {
    // Fetch would ask the function for what it can decode itself, and receivers of callbacks may not.
    headers.set('Accept-Encoding', 'identity');
  }
  const isStream = payload.body instanceof ReadableStream;
  const idempotencyKey = setIdempotencyKey(headers, options.idempotencyKey ?? (isStream ? false : undefined));
  const repeat = isStream ? 'never' : idempotencyKey === undefined ? 'refused' : 'safe';
  const waitMs = setPreference(headers, options.waitMs);
  const request = {
    method: 'POST',
    path,
    headers,
    body: payload.body,
    repeat,
    signal: options.signal,
    waitMs,
  } as const;
  return await transport.request(request, async (response) => ({
    answer: await read(response),
    replayed: response.headers.get('Idempotency-Replayed') === 'true',
    idempotencyKey,
  }));
}

/** Sets `Prefer: wait` (RFC 7240), and returns how long the answer may take. */
function setPreference(headers: Headers, option = 0): number {
  const waitMs = checkMs('waitMs', option, longestWaitMs);
  if (waitMs > 0) {
    headers.set('Prefer', `wait=${Math.ceil(waitMs / 1_000)}`);
  }
  return waitMs;
}

/** Sets the key of a request, unless its headers have one, and returns it. */
export function setIdempotencyKey(headers: Headers, option: string | false | undefined): string | undefined {
  const key = option ?? headers.get('Idempotency-Key') ?? createIdempotencyKey();
  if (key === false) {
    headers.delete('Idempotency-Key');
    return undefined;
  }
  if (!/^[!-~]{1,255}$/.test(key)) {
    throw new OptionError('idempotencyKey: must have 1 to 255 visible ASCII characters, without spaces');
  }
  headers.set('Idempotency-Key', key);
  return key;
}

/** 128 random bits. `crypto.randomUUID` exists only on pages that came over HTTPS. */
function createIdempotencyKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
