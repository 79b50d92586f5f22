import type { BodyObject, Call, HeaderList } from '@asyncfn/queue-core';
import { type BodyStore, uploadBytes } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { LargeResponses, ResponseFailure, ResponseSink } from '../http/index.ts';
import { ReplyUpload } from './reply-upload.ts';

export interface ReplyStoreOptions {
  readonly bodies: Pick<BodyStore, 'upload' | 'discard'>;
  /** Largest response that travels in the record of its end, in bytes. */
  readonly inlineBytes: () => number;
  /** Largest response that a record may have, by whatever version it was stored, in bytes. */
  readonly recordBytes: () => number;
  readonly logger: Logger;
}

/** Stores the large responses of functions. */
export class ReplyStore implements LargeResponses {
  readonly #options: ReplyStoreOptions;
  /** The calls whose response could not be stored. */
  readonly #refused = new WeakSet<Call>();
  readonly bufferBytes = uploadBytes;

  constructor(options: ReplyStoreOptions) {
    this.#options = options;
  }

  get inlineBytes(): number {
    return this.#options.inlineBytes();
  }

  get recordBytes(): number {
    return this.#options.recordBytes();
  }

  /** Whether the broker has not taken a response of this call: then the attempt does not count. */
  hasRefused(call: Call): boolean {
    return this.#refused.has(call);
  }

  open(call: Call, headers: HeaderList): ResponseSink {
    return new ReplyUpload(this.#options.bodies, call, headers, (failure) => this.#onFailure(call, failure));
  }

  /** Removes the response of an attempt that another one follows. Never rejects: otherwise the sweeper removes it. */
  discard(object: BodyObject | undefined): void {
    if (object !== undefined) {
      void this.#options.bodies.discard(object);
    }
  }

  #onFailure(call: Call, { kind, error: err }: ResponseFailure): void {
    if (kind === 'not_stored') {
      this.#refused.add(call);
      const { id: callId, function: name, queue } = call;
      const message = 'large response of a function cannot be stored now: the call goes back to its queue';
      this.#options.logger.warn({ callId, function: name, queue, err }, message);
    }
  }
}
