import { createHash, type Hash } from 'node:crypto';
import { type BodyObject, type Call, type HeaderList, QueueError } from '@asyncfn/queue-core';
import type { BodyStore, BodyUpload } from '@asyncfn/queue-core/jetstream';
import type { ResponseFailure, ResponseSink } from '../http/index.ts';
import { announcedDigest } from './announced-digest.ts';

/** Stores one response while it is read. */
export class ReplyUpload implements ResponseSink {
  readonly #bodies: Pick<BodyStore, 'upload'>;
  readonly #call: Call;
  readonly #onFailure: (failure: ResponseFailure) => void;
  /** What the function says of its response. */
  readonly #announced: { readonly hash: Hash; readonly digest: Buffer } | undefined;
  #upload: BodyUpload | undefined;
  #failure: ResponseFailure | undefined;
  #isAborted = false;

  constructor(
    bodies: Pick<BodyStore, 'upload'>,
    call: Call,
    headers: HeaderList,
    onFailure: (failure: ResponseFailure) => void,
  ) {
    this.#bodies = bodies;
    this.#call = call;
    this.#onFailure = onFailure;
    const digest = announcedDigest(headers);
    this.#announced = digest && { hash: createHash('sha256'), digest };
  }

  get failure(): ResponseFailure | undefined {
    return this.#failure;
  }

  write(piece: Uint8Array): Promise<void> | undefined {
    this.#announced?.hash.update(piece);
    const written = this.#upload === undefined ? this.#begin(piece) : this.#upload.write(piece);
    this.#noteFailure();
    return written?.then(() => this.#noteFailure());
  }

  async #begin(first: Uint8Array): Promise<void> {
    const upload = await this.#bodies.upload();
    if ('kind' in upload) {
      this.#fail(upload.detail);
    } else if (this.#isAborted) {
      await upload.abort();
    } else {
      this.#upload = upload;
      await upload.write(first);
    }
  }

  async finish(): Promise<BodyObject | ResponseFailure> {
    const { hash, digest } = this.#announced ?? {};
    if (hash !== undefined && digest?.equals(hash.digest()) === false) {
      const error = new Error('the body does not have the SHA-256 of its Content-Digest');
      return { kind: 'bad_response', code: 'digest_mismatch', error };
    }
    const stored = await this.#upload?.finishReply(this.#call);
    return stored?.kind === 'stored' ? stored.object : this.#fail(stored?.detail ?? 'it was given up');
  }

  abort(): void {
    this.#isAborted = true;
    void this.#upload?.abort();
  }

  #noteFailure(): void {
    const { failure } = this.#upload ?? {};
    if (failure !== undefined && !this.#isAborted) {
      this.#fail(failure.detail);
    }
  }

  #fail(detail: string): ResponseFailure {
    if (this.#failure === undefined) {
      this.#failure = { kind: 'not_stored', code: 'not_stored', error: new QueueError('broker', detail) };
      this.#onFailure(this.#failure);
    }
    return this.#failure;
  }
}
