import { CallbackError, checkOptions, OptionError } from '../errors/index.ts';
import { importSecrets, type SecretKey } from './secrets.ts';
import { type HeaderReader, VerifiedCallback } from './verified-callback.ts';

/** Headers of a request: those of `Request`, or by their names, as Node has them. */
export type CallbackHeaders = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

/** A request to a callback URL. */
export interface IncomingCallback {
  readonly headers: CallbackHeaders;
  /** The body as it came, before anything parses it. Undefined and null are an empty one. */
  readonly body: string | Uint8Array | ArrayBuffer | null | undefined;
}

export interface VerifyCallbackOptions {
  /** `whsec_` and base64 of 24 to 64 bytes. While secrets rotate: all that are valid, in any order. */
  readonly secrets: string | readonly string[];
  /** How far `webhook-timestamp` may be from the clock of the receiver, in seconds. Default 300. */
  readonly toleranceSeconds?: number;
  /** The clock, in Unix milliseconds. Default `Date.now`. */
  readonly now?: () => number;
}

/** The signer has five secrets at most. Each signature is compared with each secret. */
const maxSignatures = 20;

/**
 * Verifies a callback of asyncfn, or any webhook of Standard Webhooks v1, and returns what it says.
 *
 * `webhook-signature` covers `webhook-id`, `webhook-timestamp` and the body. Callbacks of asyncfn have `X-Callback-Signature` as
 * well, which covers the call's id, function and status, and is verified if it is present. Signatures are compared in constant time.
 *
 * A callback may be delivered more than once: store its `id` if it must count once.
 *
 * @throws CallbackError if it is not genuine: answer 401
 * @throws OptionError for secrets that are none, or a body that has been parsed: an error of the receiver itself
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export async function verifyCallback(
  { headers, body }: IncomingCallback,
  options: VerifyCallbackOptions,
): Promise<VerifiedCallback> {
  checkOptions(options, { secrets: true, toleranceSeconds: true, now: true });
  const { secrets, toleranceSeconds = 300, now = Date.now } = options;
  if (!(toleranceSeconds >= 0)) {
    throw new OptionError(`toleranceSeconds: ${toleranceSeconds} is not a number of seconds`);
  }
  const keys = await importSecrets(secrets);
  const bytes = toBytes(body);
  const read = readerOf(headers);
  const id = required(read, 'webhook-id');
  const timestamp = required(read, 'webhook-timestamp');
  checkAge(timestamp, toleranceSeconds, now());
  await checkSignature(keys, { name: 'webhook-signature', read, signed: id, timestamp, bytes });
  const isOfCall = read('x-callback-signature') !== undefined;
  if (isOfCall) {
    const facts = ['x-call-id', 'x-function-name', 'x-function-status'].map((name) => read(name) ?? '').join('\n');
    await checkSignature(keys, { name: 'x-callback-signature', read, signed: facts, timestamp, bytes });
  }
  return new VerifiedCallback(read, bytes, isOfCall);
}

interface Claim {
  /** The header that has the signatures. */
  readonly name: string;
  readonly read: HeaderReader;
  /** What is signed before the time. */
  readonly signed: string;
  readonly timestamp: string;
  readonly bytes: Uint8Array;
}

/** @throws CallbackError if no signature was made with one of the keys */
async function checkSignature(keys: readonly SecretKey[], claim: Claim): Promise<void> {
  const { name, read, signed, timestamp, bytes } = claim;
  const signatures = required(read, name)
    .split(' ')
    .filter((each) => each.startsWith('v1,'));
  if (signatures.length === 0 || signatures.length > maxSignatures) {
    throw new CallbackError(
      'invalid_headers',
      `${name}: has ${signatures.length === 0 ? 'no' : 'too many'} signatures of v1`,
    );
  }
  const head = new TextEncoder().encode(`${signed}.${timestamp}.`);
  const content = new Uint8Array(head.length + bytes.length);
  content.set(head);
  content.set(bytes, head.length);
  for (const signature of signatures) {
    for (const key of keys) {
      // Compares in constant time.
      if (await crypto.subtle.verify('HMAC', key, fromBase64(signature.slice('v1,'.length)), content)) {
        return;
      }
    }
  }
  throw new CallbackError('invalid_signature', `${name}: no signature matches the secrets, the headers and the body`);
}

function checkAge(timestamp: string, toleranceSeconds: number, now: number): void {
  if (!/^\d{1,12}$/.test(timestamp)) {
    throw new CallbackError('invalid_headers', 'webhook-timestamp: is not in Unix seconds');
  }
  const ageSeconds = Math.floor(now / 1000) - Number(timestamp);
  if (ageSeconds > toleranceSeconds) {
    throw new CallbackError('too_old', `webhook-timestamp: is more than ${toleranceSeconds} s ago`);
  }
  if (ageSeconds < -toleranceSeconds) {
    throw new CallbackError('too_new', `webhook-timestamp: is more than ${toleranceSeconds} s in the future`);
  }
}

function required(read: HeaderReader, name: string): string {
  const value = read(name);
  if (value === undefined || value === '') {
    throw new CallbackError('invalid_headers', `${name}: is missing`);
  }
  return value;
}

/** Reads headers by their lower-case names. */
function readerOf(headers: CallbackHeaders): HeaderReader {
  if (headers === undefined || headers === null) {
    throw new OptionError('headers: are missing');
  }
  if (headers instanceof Headers) {
    return (name) => headers.get(name) ?? undefined;
  }
  const values = new Map<string, string>();
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) {
      values.set(name.toLowerCase(), typeof value === 'string' ? value : value.join(', '));
    }
  }
  return (name) => values.get(name);
}

function toBytes(body: IncomingCallback['body']): Uint8Array<ArrayBuffer> {
  if (body === undefined || body === null) {
    return new Uint8Array();
  }
  if (typeof body === 'string') {
    return new TextEncoder().encode(body);
  }
  if (ArrayBuffer.isView(body)) {
    return new Uint8Array(body.buffer, body.byteOffset, body.byteLength).slice();
  }
  if (body instanceof ArrayBuffer) {
    return new Uint8Array(body);
  }
  throw new OptionError(
    'body: has been parsed; a callback is verified by its bytes as they came. Read them before any parser',
  );
}

/** What is not base64 matches nothing. */
function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
