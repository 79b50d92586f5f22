import { isUtf8 } from 'node:buffer';
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
export async function readDocument(bytes: Buffer, maxCalls: number): Promise<BatchDocument | Refusal> {
  if (!isUtf8(bytes)) {
    return refusal('invalid_batch', 'The body is not UTF-8. Send other bytes as "bodyBase64".');
  }
  const split = await splitDocument(bytes);
  if (split === undefined || typeof split.rest !== 'object' || split.rest === null) {
    return refusal(
      'invalid_batch',
      'The body is not a JSON object. Send {"calls":[...]}, or lines as application/x-ndjson.',
    );
  }
  const fields = split.rest as Readonly<Record<string, unknown>>;
  const { calls, callbackUrl, failureCallbackUrl } = fields;
  if (!Array.isArray(calls) || calls.length > 0) {
    return refusal('invalid_batch', 'The body must have one "calls", an array.');
  }
  if (Object.keys(fields).some((member) => !members.has(member))) {
    return refusal('invalid_batch', `The body has an unknown member. It may have ${[...members].join(', ')}.`);
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
  const broken = await findBroken(texts);
  if (broken !== undefined) {
    return refusal('invalid_batch', `The element ${broken} of "calls" is not JSON.`);
  }
  const fingerprint = createHash('sha256').update(bytes).digest('base64url');
  return { kind: 'document', callbackUrl, failureCallbackUrl, items: parseAll(texts), fingerprint };
}

/** The first element that is not JSON. */
async function findBroken(texts: readonly (() => string)[]): Promise<number | undefined> {
  for await (const [index, text] of inTurns(texts)) {
    if (!isJson(text())) {
      return index;
    }
  }
  return undefined;
}

async function* parseAll(texts: readonly (() => string)[]): AsyncGenerator<BatchItemRequest | Refusal, void, void> {
  for await (const [, text] of inTurns(texts)) {
    yield parseItem(text());
  }
}

async function* inTurns<T>(all: readonly T[]): AsyncGenerator<readonly [number, T], void, void> {
  for (const entry of all.entries()) {
    if (entry[0] % atOnce === atOnce - 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    yield entry;
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

/** Thrown if a body exceeds its limit: the rest is not read. */
class TooLong extends Error {}

/**
 * The body of a request in lines. It holds only the line that is being read. If the body is longer than allowed, the
 * lines that are complete by then count, and one refusal stands for the rest.
 */
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

  /** Throws `RefusalError` if the body does not arrive completely. */
  async *items(): AsyncGenerator<BatchItemRequest | Refusal, void, void> {
    const { maxBytes, maxLineBytes } = this.#limits;
    try {
      for await (const line of splitLines(this.#chunks(), maxLineBytes)) {
        yield line.kind === 'line' ? parseLine(line.bytes) : lineTooLarge(maxLineBytes);
      }
    } catch (error) {
      if (!(error instanceof TooLong)) {
        throw error;
      }
      const detail = `The batch exceeds ${maxBytes} bytes in this line. It is refused, and the lines after it were not read.`;
      yield refusal('body_too_large', detail);
    }
  }

  async *#chunks(): AsyncGenerator<Buffer, void, void> {
    const { maxBytes } = this.#limits;
    let room = maxBytes;
    try {
      // Not destroyed if it is left early: the answer goes out on its connection.
      for await (const chunk of this.#source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        const fitting = chunk.subarray(0, room);
        this.#hash.update(fitting);
        yield fitting;
        room -= chunk.length;
        if (room < 0) {
          throw new TooLong();
        }
      }
    } catch (error) {
      throw error instanceof TooLong ? error : new RefusalError({ ...disconnected, cause: error });
    }
  }
}

function parseLine(bytes: Buffer): BatchItemRequest | Refusal {
  return isUtf8(bytes) ? parseItem(bytes.toString()) : notUtf8;
}

const notUtf8 = refusal('invalid_batch_item', 'The line is not UTF-8. Send other bytes as "bodyBase64".');
const disconnected = refusal('client_disconnected', 'The connection was closed before the body was complete.');

function lineTooLarge(maxBytes: number): Refusal {
  const detail = `The line is longer than ${maxBytes} bytes, which follow from MAX_BODY_BYTES and MAX_INFLIGHT_BYTES.`;
  return refusal('body_too_large', detail);
}
