import { Readable } from 'node:stream';
import type { LossReason } from '@asyncfn/queue-core/jetstream';

/** Why an unknown number of events is missing: as in the broker, or the client was away before and nothing is kept. */
export type GapReason = LossReason | 'not_kept';

/** Most bytes that wait for a client that does not read. */
const maxBufferedBytes = 256 * 1024;
const comment = Buffer.from(': still here\n\n');

/**
 * Server-sent events for one client (WHATWG HTML, 9.2). What a slow client has no room for is left out and counted; it is
 * told how many as soon as it reads again.
 */
export class EventOutput extends Readable {
  #missed = 0;
  #gap: GapReason | undefined;

  /** @param events in `text` */
  offer(text: Buffer, events: number): void {
    if (!this.#tellMissed() || !this.#write(text)) {
      this.#missed += events;
    }
  }

  /** Events were left out before they came here. */
  miss(events: number): void {
    this.#missed += events;
    this.#tellMissed();
  }

  /** An unknown number of events is missing. */
  gap(reason: GapReason): void {
    this.#gap ??= reason;
    this.#tellMissed();
  }

  /** Shows that the connection lives. */
  beat(): void {
    if (this.readableLength === 0) {
      this.#write(comment);
    }
  }

  end(): void {
    if (!this.readableEnded && !this.destroyed) {
      this.push(null);
    }
  }

  override _read(): void {
    this.#tellMissed();
  }

  /** Returns whether there is nothing left to tell. */
  #tellMissed(): boolean {
    if (this.#gap !== undefined) {
      if (!this.#write(toMissed({ missed: null, reason: this.#gap }))) {
        return false;
      }
      this.#gap = undefined;
    }
    if (this.#missed > 0) {
      if (!this.#write(toMissed({ missed: this.#missed }))) {
        return false;
      }
      this.#missed = 0;
    }
    return true;
  }

  /** One text has room whatever its length: a client that reads gets everything. */
  #write(text: Buffer): boolean {
    if (this.destroyed || (this.readableLength > 0 && this.readableLength + text.length > maxBufferedBytes)) {
      return false;
    }
    this.push(text);
    return true;
  }
}

function toMissed(data: { readonly missed: number | null; readonly reason?: GapReason }): Buffer {
  return Buffer.from(`event: missed\ndata: ${JSON.stringify(data)}\n\n`);
}
