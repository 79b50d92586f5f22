import { OptionError } from '../errors/index.ts';

/** What JSON can say. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined };

/**
 * The body of a call:
 *
 * - text, sent as it is, in UTF-8
 * - bytes, or a `Blob`, with its type
 * - `URLSearchParams` and `FormData`, as forms send them
 * - a stream of bytes: sent while it is read, and therefore never retried
 * - any other array, plain object, number, boolean or null: sent as JSON, with `Content-Type: application/json`
 */
export type CallBody =
  | JsonValue
  | ArrayBufferView
  | ArrayBuffer
  | Blob
  | URLSearchParams
  | FormData
  | ReadableStream<Uint8Array>;

/** A body as it is sent. */
export interface Payload {
  readonly body: string | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | undefined;
  /** Unless the caller names another. */
  readonly contentType: string | undefined;
}

/**
 * Bytes that are the same at every try: a form gets its boundary once.
 *
 * @throws OptionError for what is no body
 */
export async function toPayload(body: CallBody | undefined): Promise<Payload> {
  if (body === undefined) {
    return { body, contentType: undefined };
  }
  if (typeof body === 'string') {
    return { body, contentType: 'text/plain;charset=UTF-8' };
  }
  if (ArrayBuffer.isView(body)) {
    // Copied: it is the caller's, who may write to it while the call is retried.
    const bytes = new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
    return { body: bytes, contentType: undefined };
  }
  if (body instanceof ArrayBuffer) {
    return { body: new Uint8Array(body.slice(0)), contentType: undefined };
  }
  if (body instanceof ReadableStream) {
    return { body, contentType: undefined };
  }
  if (body instanceof Blob || body instanceof URLSearchParams || body instanceof FormData) {
    const whole = new Response(body);
    return {
      body: new Uint8Array(await whole.arrayBuffer()),
      contentType: whole.headers.get('Content-Type') ?? undefined,
    };
  }
  return { body: toJson(body), contentType: 'application/json' };
}

function toJson(value: JsonValue): string {
  if (!isPlain(value)) {
    throw new OptionError(
      'body: is neither text, bytes, a Blob, a form, a ReadableStream nor a plain object. ' +
        'Write Readable.toWeb(stream) for a stream of Node, or JSON.stringify(value) for JSON',
    );
  }
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw new OptionError(`body: cannot be written as JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Instances of classes are more than JSON shows, so sending them as JSON would be a mistake. */
function isPlain(value: unknown): boolean {
  if (typeof value !== 'object') {
    return typeof value === 'number' || typeof value === 'boolean';
  }
  if (value === null || Array.isArray(value)) {
    return true;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
