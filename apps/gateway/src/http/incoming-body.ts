import type { IncomingMessage } from 'node:http';
import { type Refusal, refusal } from '../problem.ts';
import type { BodyBudget, BodyShare } from './body-budget.ts';

/** A complete body, or why it is not complete. */
export type BodyResult = { readonly kind: 'body'; readonly bytes: Buffer } | Refusal;

/**
 * The body of one request, from before its first byte until it is released. It holds its share of the budget all that
 * time.
 */
export class IncomingBody {
  readonly kind = 'incoming';
  #share: BodyShare | undefined;
  #giveUp: (() => void) | undefined;

  /**
   * Admits the body. To be called once everything before the body has been checked.
   *
   * @param caller name of the token that it came with
   * @returns a refusal if there is no room; then nothing of the body is read
   */
  static admit(request: IncomingMessage, budget: Pick<BodyBudget, 'open'>, caller?: string): IncomingBody | Refusal {
    const body = new IncomingBody();
    const share = budget.open(declaredLength(request) ?? 0, () => body.#giveUp?.(), caller);
    if (share === undefined) {
      return noRoom;
    }
    body.#share = share;
    return body;
  }

  /** Releases the body. May be called any number of times. */
  release(): void {
    this.#share?.release();
  }

  /**
   * Collects the body, byte for byte.
   *
   * @param maxBytes a larger body is refused as soon as it is known to be larger
   * @param done called once, unless `onLarger` is
   * @param onLarger gets what has arrived of a larger body instead, which then no longer counts; the rest waits to be read.
   * Default: a larger body is refused
   */
  read(
    source: IncomingMessage,
    maxBytes: number,
    done: (result: BodyResult) => void,
    onLarger?: (first: readonly Buffer[]) => void,
  ): void {
    const chunks: Buffer[] = [];
    let length = 0;
    const leave = (): void => {
      source.off('data', onData).off('end', onEnd).off('error', onError);
    };
    const settle = (result: BodyResult): void => {
      leave();
      done(result);
    };
    const handOver = (next: (first: readonly Buffer[]) => void): void => {
      leave();
      source.pause();
      this.release();
      next(chunks);
    };
    const refuse = (refused: Refusal): void => {
      // Errors in the rest of the body do not matter.
      source.on('error', () => undefined);
      chunks.length = 0;
      settle(refused);
    };
    const onData = (chunk: Buffer): void => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > maxBytes && onLarger !== undefined) {
        handOver(onLarger);
      } else if (length > maxBytes) {
        refuse(tooLarge(maxBytes));
      } else if (this.#share?.arrived(chunk.length) === false) {
        refuse(noRoom);
      }
    };
    const onEnd = (): void => {
      this.#share?.complete();
      settle({ kind: 'body', bytes: joined(chunks, length) });
    };
    const onError = (cause: Error): void => settle({ ...disconnected, cause });
    this.#giveUp = () => refuse(tooSlow);
    source.on('data', onData).on('end', onEnd).on('error', onError);
  }
}

/** Refuses a body whose announced length is too large, before any of it is read. */
export function checkDeclaredLength(request: IncomingMessage, maxBytes: number): Refusal | undefined {
  return (declaredLength(request) ?? 0) > maxBytes ? tooLarge(maxBytes) : undefined;
}

/** HTTP knows one expectation (RFC 9110, 10.1.1), and HTTP/1.0 none. An empty header expects nothing. */
export function checkExpectation({ headers, httpVersion }: IncomingMessage): Refusal | undefined {
  const { expect = '' } = headers;
  if (expect === '' || expect.toLowerCase() === '100-continue' || httpVersion === '1.0') {
    return undefined;
  }
  return refusal('expectation_failed', 'The only supported expectation is 100-continue.');
}

/** Whether the client waits for `100 Continue` before it sends its body. */
export function expectsContinue({ headers: { expect = '' } }: IncomingMessage): boolean {
  return expect !== '';
}

function joined(chunks: readonly Buffer[], length: number): Buffer {
  const [first] = chunks;
  return first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, length);
}

export const disconnected = refusal('client_disconnected', 'The connection was closed before the body was complete.');
export const tooSlow = refusal('request_timeout', 'The body arrived too slowly, and others needed its room.');
export const noRoom = refusal('overloaded', 'The gateway holds too many bodies. Send the call again later.', {
  'Retry-After': '1',
});

export function tooLarge(maxBytes: number): Refusal {
  return refusal('body_too_large', `The body must not exceed ${maxBytes} bytes.`);
}

/** The announced length of the body; undefined if there is none. */
export function declaredLength({ headers }: IncomingMessage): number | undefined {
  const declared = headers['content-length'];
  return declared === undefined ? undefined : Number(declared);
}
