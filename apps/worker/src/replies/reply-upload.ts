import { createHash, type Hash } from 'node:crypto';
import { type BodyObject, type Call, type HeaderList, QueueError } from '@asyncfn/queue-core';
import type { BodyStore, BodyUpload } from '@asyncfn/queue-core/jetstream';
import type { ResponseFailure, ResponseSink } from '../http/index.ts';
import { announcedDigest } from './announced-digest.ts';

/** Why the broker does not have it. */
type Refusal = NonNullable<BodyUpload['failure']>;

export interface ReplyUploadOptions {
  readonly bodies: Pick<BodyStore, 'upload'>;
  /** Whether the broker has said since then, on the monotonic clock, that we may not store responses. */
  readonly isDenied: (since: number) => boolean;
  /** How often an open upload says that it goes on, in milliseconds. */
  readonly renewMs: number;
  /** Called at most once. */
  readonly onFailure: (failure: ResponseFailure) => void;
}

/** Stores one response while it is read. */
export class ReplyUpload implements ResponseSink {
  readonly #options: ReplyUploadOptions;
  readonly #call: Call;
  /** What the function says of its response. */
  readonly #announced: { readonly hash: Hash; readonly digest: Buffer } | undefined;
  readonly #startedAt = performance.now();
  #upload: BodyUpload | undefined;
  #failure: ResponseFailure | undefined;
  #isAborted = false;

  constructor(call: Call, headers: HeaderList, options: ReplyUploadOptions) {
    this.#call = call;
    this.#options = options;
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
    const upload = await this.#options.bodies.upload(this.#call.submitter);
    if ('kind' in upload) {
      this.#fail(upload);
    } else if (this.#isAborted) {
      await upload.abort();
    } else {
      this.#upload = upload;
      upload.keepAlive(this.#options.renewMs);
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
    return stored?.kind === 'stored' ? stored.object : this.#fail(stored ?? givenUp);
  }

  abort(): void {
    this.#isAborted = true;
    void this.#upload?.abort();
  }

  #noteFailure(): void {
    const { failure } = this.#upload ?? {};
    if (failure !== undefined && !this.#isAborted) {
      this.#fail(failure);
    }
  }

  /** Whether a sweeper has removed it because we could not say that it goes on. */
  #wasCutOff(): boolean {
    return (this.#upload?.unheardMs ?? 0) > 2 * this.#options.renewMs;
  }

  #fail(refusal: Refusal): ResponseFailure {
    if (this.#failure === undefined) {
      this.#failure = toFailure(refusal, this.#options.isDenied(this.#startedAt), this.#wasCutOff());
      this.#options.onFailure(this.#failure);
    }
    return this.#failure;
  }
}

const givenUp: Refusal = { kind: 'refused', reason: 'unavailable', detail: 'it was given up' };

/** What would fail again in the same way must not count as "not now": the function would be called for ever. */
function toFailure({ reason, detail }: Refusal, isDenied: boolean, wasCutOff: boolean): ResponseFailure {
  if (isDenied) {
    const error = new QueueError('permission', 'the permission to publish to $O.BODIES.> is missing');
    return { kind: 'bad_response', code: 'not_permitted', error };
  }
  const error = new QueueError('broker', detail);
  if (reason === 'too_large') {
    return { kind: 'too_large', code: 'max_payload', error };
  }
  return reason === 'conflict' && !wasCutOff
    ? { kind: 'bad_response', code: 'response_removed', error }
    : { kind: 'not_stored', code: 'not_stored', error };
}
