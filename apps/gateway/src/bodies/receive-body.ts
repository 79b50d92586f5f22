import type { IncomingMessage } from 'node:http';
import type { BodyUpload, RoomShare } from '@asyncfn/queue-core/jetstream';
import { type BodyShare, disconnected, noRoom, tooLarge, tooSlow } from '../http/index.ts';
import type { Refusal } from '../problem.ts';
import { storeFull, toUploadRefusal } from './refusals.ts';

/** Where a body goes, and what counts it on its way. */
export interface Destination {
  readonly upload: Pick<BodyUpload, 'write' | 'length' | 'failure'>;
  /** Its share of the memory. */
  readonly share: BodyShare;
  /** Its share of the store. */
  readonly room: RoomShare;
  readonly maxBytes: number;
  /** Aborts when others need its memory, because its client is slow. */
  readonly givenUp: AbortSignal;
}

/**
 * Passes a body on to the store as fast as both sides allow. Undefined if it is complete; otherwise nothing more of it is
 * read. Never rejects.
 * @param first what has arrived already
 */
export function receiveBody(
  source: IncomingMessage,
  first: readonly Buffer[],
  destination: Destination,
): Promise<Refusal | undefined> {
  return new Promise((resolve) => {
    new Reception(source, destination, resolve).start(first);
  });
}

/** Reads until the body is complete or refused. */
class Reception {
  readonly #source: IncomingMessage;
  readonly #to: Destination;
  readonly #resolve: (refused: Refusal | undefined) => void;
  /** Pieces that the store has no room for yet. */
  #waiting = 0;

  constructor(source: IncomingMessage, to: Destination, resolve: (refused: Refusal | undefined) => void) {
    this.#source = source;
    this.#to = to;
    this.#resolve = resolve;
  }

  start(first: readonly Buffer[]): void {
    const { givenUp } = this.#to;
    if (this.#source.destroyed) {
      this.#resolve(disconnected);
    } else if (givenUp.aborted) {
      this.#resolve(tooSlow);
    } else {
      givenUp.addEventListener('abort', this.#onGivenUp);
      this.#source.on('data', this.#onData).on('end', this.#onEnd).on('error', this.#onError);
      for (const piece of first) {
        this.#onData(piece);
      }
      this.#readOn();
    }
  }

  readonly #onData = (piece: Buffer): void => {
    const { upload } = this.#to;
    const refused = this.#admit(piece.length);
    if (refused !== undefined) {
      this.#end(refused);
      return;
    }
    const written = upload.write(piece);
    if (written === undefined) {
      this.#onWritten(piece.length);
    } else {
      this.#waiting += 1;
      this.#source.pause();
      void written.then(() => {
        this.#waiting -= 1;
        this.#onWritten(piece.length);
        this.#readOn();
      });
    }
  };

  #admit(bytes: number): Refusal | undefined {
    const { upload, room, share, maxBytes } = this.#to;
    if (upload.length + bytes > maxBytes) {
      return tooLarge(maxBytes);
    }
    if (!room.store(bytes)) {
      return storeFull;
    }
    return share.arrived(bytes) ? undefined : noRoom;
  }

  #onWritten(bytes: number): void {
    const { upload, share } = this.#to;
    share.left(bytes);
    if (upload.failure !== undefined) {
      this.#end(toUploadRefusal(upload.failure));
    }
  }

  #readOn(): void {
    if (this.#waiting === 0) {
      this.#source.resume();
    }
  }

  readonly #onEnd = (): void => this.#end(undefined);
  readonly #onError = (cause: Error): void => this.#end({ ...disconnected, cause });
  readonly #onGivenUp = (): void => this.#end(tooSlow);

  #end(refused: Refusal | undefined): void {
    this.#source.off('data', this.#onData).off('end', this.#onEnd).off('error', this.#onError);
    this.#to.givenUp.removeEventListener('abort', this.#onGivenUp);
    // Errors in the rest of the body do not matter.
    this.#source.on('error', () => undefined);
    this.#resolve(refused);
  }
}
