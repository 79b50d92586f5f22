import type { AcceptedCall } from '../api/index.ts';
import { OptionError, UnexpectedAnswerError } from '../errors/index.ts';
import { jsonOf, type RequestOptions, type Transport } from '../http/index.ts';
import { type CallBody, toPayload } from './call-body.ts';
import { type CallHeaderOptions, toCallHeaders, toCallPath } from './call-headers.ts';

/** How a call, or a batch, is kept from being made twice. */
export interface CallKeyOptions {
  /**
   * Makes the call safe to repeat: 1 to 255 visible ASCII characters. Choose it yourself to be safe beyond this process, such as
   * the number of an order. Default: a random one for each call, kept over its retries; none for a stream, which is sent once.
   * `false` sends none: the call costs the gateway less, and is not retried unless the gateway says that it has not stored it.
   */
  readonly idempotencyKey?: string | false;
}

export interface CallOptions extends CallHeaderOptions, CallKeyOptions, RequestOptions {}

/** An accepted call. */
export interface CallReceipt extends AcceptedCall {
  /** Whether an earlier request with the same key had made the call: perhaps an earlier try of this one. */
  readonly replayed: boolean;
  /** The key that it was sent with. */
  readonly idempotencyKey: string | undefined;
}

/** An answer to a call; that of a group is one for a batch. */
type Answer = Partial<AcceptedCall> & { readonly batchId?: string };

export async function makeCall(
  transport: Transport,
  name: string,
  body: CallBody | undefined,
  options: CallOptions,
): Promise<CallReceipt> {
  const { answer, replayed, idempotencyKey } = await postCall<Answer>(transport, name, body, options);
  const { callId, function: called, status } = answer;
  if (callId === undefined || called === undefined || status === undefined) {
    throw new UnexpectedAnswerError(
      answer.batchId === undefined
        ? 'The answer to the call has no call id: is url that of a gateway?'
        : `${name} is a group: its calls are accepted as batch ${answer.batchId}; use callGroup()`,
    );
  }
  return { callId, function: called, status, replayed, idempotencyKey };
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
): Promise<Posted<T>> {
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
  const request = { method: 'POST', path, headers, body: payload.body, repeat, signal: options.signal } as const;
  return await transport.request(request, async (response) => ({
    answer: await jsonOf<T>(response),
    replayed: response.headers.get('Idempotency-Replayed') === 'true',
    idempotencyKey,
  }));
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
