import { createHash, type Hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type Refusal, RefusalError, refusal } from '../problem.ts';
import { type BatchItemRequest, parseItem, splitDocument, splitLines } from './items/index.ts';

/** The items of a batch, one after the other. */
export type Items = AsyncIterable<BatchItemRequest | Refusal>;

/** A document whose calls are not parsed yet. */
export interface BatchDocument {
  readonly kind: 'document';
  readonly callbackUrl: string | undefined;
  readonly failureCallbackUrl: string | undefined;
  readonly items: Items;
  readonly fingerprint: string;
}

const members: ReadonlySet<string> = new Set(['calls', 'callbackUrl', 'failureCallbackUrl']);
/** Documents are parsed in pieces of this many items: other requests get their turn in between. */
const atOnce = 64;

/** Reads a document whole, and checks everything that can be checked before its first call is stored. */
export function readDocument(bytes: Buffer, maxCalls: number): BatchDocument | Refusal {
  const split = splitDocument(bytes);
  if (split === undefined || typeof split.rest !== 'object' || split.rest === null) {
    return refusal(
      'invalid_batch',
      'The body is not a JSON object. Send {"calls":[...]}, or lines as application/x-ndjson.',
    );
  }
  const fields = split.rest as Readonly<Record<string, unknown>>;
  const { calls, callbackUrl, failureCallbackUrl } = fields;
  if (!Array.isArray(calls) || calls.length > 0) {
    return refusal('invalid_batch', '"calls" must be there once, as an array.');
  }
  if (Object.keys(fields).some((member) => !members.has(member))) {
    return refusal('invalid_batch', `The body has a member that is none of ${[...members].join(', ')}.`);
  }
  if (split.calls.length > maxCalls) {
    return refusal('too_many_calls', `A batch may have ${maxCalls} calls, and this one has ${split.calls.length}.`);
  }
  if (!isTextOrAbsent(callbackUrl) || !isTextOrAbsent(failureCallbackUrl)) {
    return refusal('invalid_callback_url', '"callbackUrl" and "failureCallbackUrl" must be strings.');
  }
  const texts = split.calls.map(
    ([start, end]) =>
      () =>
        bytes.toString('utf8', start, end),
  );
  const broken = texts.findIndex((text) => !isJson(text()));
  if (broken >= 0) {
    return refusal('invalid_batch', `The element ${broken} of "calls" is not JSON.`);
  }
  const fingerprint = createHash('sha256').update(bytes).digest('base64url');
  return { kind: 'document', callbackUrl, failureCallbackUrl, items: parseAll(texts), fingerprint };
}

async function* parseAll(texts: readonly (() => string)[]): AsyncGenerator<BatchItemRequest | Refusal, void, void> {
  for (const [index, text] of texts.entries()) {
    if (index % atOnce === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    yield parseItem(text());
  }
}

function isTextOrAbsent(value: unknown): value is string | undefined {
  return value === undefined || typeof value === 'string';
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** In bytes. */
export interface LineLimits {
  readonly maxBytes: number;
  readonly maxLineBytes: number;
}

/** The body of a request in lines. Nothing of it is held but the line that is being read. */
export class LinesBody {
  readonly #hash: Hash = createHash('sha256');
  readonly #source: IncomingMessage;
  readonly #limits: LineLimits;

  constructor(source: IncomingMessage, limits: LineLimits) {
    this.#source = source;
    this.#limits = limits;
  }

  /** To be read once the items are. */
  get fingerprint(): string {
    return this.#hash.digest('base64url');
  }

  /** Throws `RefusalError` if the body is too large, or does not arrive completely. */
  async *items(): AsyncGenerator<BatchItemRequest | Refusal, void, void> {
    const { maxLineBytes } = this.#limits;
    for await (const line of splitLines(this.#chunks(), maxLineBytes)) {
      yield line.kind === 'line' ? parseItem(line.bytes.toString()) : lineTooLarge;
    }
  }

  async *#chunks(): AsyncGenerator<Buffer, void, void> {
    const { maxBytes } = this.#limits;
    let length = 0;
    try {
      for await (const chunk of this.#source as AsyncIterable<Buffer>) {
        length += chunk.length;
        if (length > maxBytes) {
          throw new RefusalError(refusal('body_too_large', `A batch must not exceed ${maxBytes} bytes.`));
        }
        this.#hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      throw error instanceof RefusalError ? error : new RefusalError({ ...disconnected, cause: error });
    }
  }
}

const lineTooLarge = refusal('body_too_large', 'The line is longer than MAX_BODY_BYTES allows.');
const disconnected = refusal('client_disconnected', 'The connection was closed before the body was complete.');
