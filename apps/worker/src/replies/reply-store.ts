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
  /** Whether the broker has said since then, on the monotonic clock, that we may not store responses. */
  readonly isDenied: (since: number) => boolean;
  /** How often an open upload says that it goes on, in milliseconds. */
  readonly renewMs: number;
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
    const onFailure = (failure: ResponseFailure): void => this.#onFailure(call, failure);
    return new ReplyUpload(call, headers, { ...this.#options, onFailure });
  }

  /** Removes the response of an attempt that another one follows. Never rejects: otherwise the sweeper removes it. */
  discard(object: BodyObject | undefined): void {
    if (object !== undefined) {
      void this.#options.bodies.discard(object);
    }
  }

  #onFailure(call: Call, { kind, code, error: err }: ResponseFailure): void {
    const { id: callId, function: name, queue } = call;
    const fields = { callId, function: name, queue, err };
    switch (kind) {
      case 'not_stored':
        this.#refused.add(call);
        this.#options.logger.warn(
          fields,
          'large response of a function cannot be stored now: the call goes back to its queue',
        );
        break;
      case 'too_large':
        this.#options.logger.error(
          fields,
          'large response of a function cannot be stored: raise max_payload of NATS to 192 KiB or more',
        );
        break;
      case 'bad_response':
        this.#options.logger.error(
          fields,
          code === 'not_permitted'
            ? 'large response of a function cannot be stored: give the NATS user of the worker the permissions of docs/nats-permissions.md'
            : 'large response of a function was removed while it arrived: give all gateways and workers the same BODY_SWEEP_AFTER',
        );
    }
  }
}
