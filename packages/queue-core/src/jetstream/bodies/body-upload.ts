import { createHash, type Hash, randomBytes } from 'node:crypto';
import { type BodyRecord, bodyChunkSubject, bodyOwnerOf } from '../../bodies/index.ts';
import type { BodyObject, Call } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import { MessageHeaders } from '../messages/index.ts';
import type { BodyPace } from './body-pace.ts';
import { type BodyRecords, type BodyRecordsDependencies, chunkBytes } from './body-records.ts';

type ChunkPublisher = BodyRecordsDependencies['publisher'];
type Refused = Extract<PublishResult, { kind: 'refused' }>;

/** The result of an upload. */
export type UploadResult = { readonly kind: 'stored'; readonly object: BodyObject } | Refused;

/** Where a body is stored. */
export interface UploadTarget {
  readonly records: BodyRecords;
  /** For all chunks of one upload. */
  readonly publisher: () => ChunkPublisher;
  /** Whose call it is, as its address has it. */
  readonly owner: string;
  /** Default: as fast as chunks are stored. */
  readonly pace?: BodyPace | undefined;
}

/** The record that an upload begins with. */
interface Begun {
  readonly sequence: number;
  /** On the monotonic clock. */
  readonly sentAt: number;
}

/** Chunks that wait for their PubAck at once. More would hardly be faster, and everything else waits while they are sent. */
const windowChunks = 2;

/** More often than this, the record is not where this upload has stored it last. */
const maxTries = 3;

const uploading: BodyRecord = { v: 1, state: 'uploading' };

/** Most bytes that an upload keeps in memory, in whole chunks: those that wait for their PubAck, and the next one. */
export const uploadBytes = (windowChunks + 1) * chunkBytes;

/**
 * Stores a body chunk by chunk. The record comes first, so that there is never a chunk without one, and is replaced last,
 * unless it has changed: a sweeper removes the record of an upload that seems to be dead (`conflict`).
 */
export class BodyUpload {
  readonly id: string;
  readonly #records: BodyRecords;
  readonly #publisher: ChunkPublisher;
  readonly #pace: BodyPace | undefined;
  readonly #owner: string;
  /** Of the record. */
  #sequence: number;
  /**
   * When the record that is stored was sent, on the monotonic clock. Its PubAck may be read much later: a process may be paused
   * in between.
   */
  #heardAt: number;
  #renewing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #hasEnded = false;
  readonly #hash = createHash('sha256');
  /** Of what comes with the body: see `also`. */
  readonly #others: Hash[] = [];
  readonly #pending = new Set<Promise<void>>();
  #chunk = Buffer.allocUnsafeSlow(chunkBytes);
  #filled = 0;
  #length = 0;
  #failure: Refused | undefined;

  private constructor(id: string, begun: Begun, { records, publisher, pace, owner }: UploadTarget) {
    this.id = id;
    this.#sequence = begun.sequence;
    this.#heardAt = begun.sentAt;
    this.#records = records;
    this.#publisher = publisher();
    this.#pace = pace;
    this.#owner = owner;
  }

  /** Never throws: a broker that cannot store it now is an expected result. */
  static async begin(target: UploadTarget): Promise<BodyUpload | Refused> {
    const id = randomBytes(18).toString('base64url');
    const sentAt = performance.now();
    const begun = await target.records.put(id, uploading, 0);
    return begun.kind === 'refused' ? begun : new BodyUpload(id, { ...begun, sentAt }, target);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Why it cannot succeed any more; undefined so far. */
  get failure(): Refused | undefined {
    return this.#failure;
  }

  /** For how long NATS has heard nothing of it, in milliseconds. */
  get unheardMs(): number {
    return performance.now() - this.#heardAt;
  }

  /** Has a second hash see the body as well. Before the first write. */
  also(hash: Hash): void {
    this.#others.push(hash);
  }

  /** Takes a piece of any length. A promise: the next piece has to wait for it. It never rejects: see `failure`. */
  write(piece: Uint8Array): Promise<void> | undefined {
    this.#length += piece.length;
    for (let from = 0; from < piece.length; ) {
      const taken = Math.min(chunkBytes - this.#filled, piece.length - from);
      this.#chunk.set(piece.subarray(from, from + taken), this.#filled);
      this.#filled += taken;
      from += taken;
      if (this.#filled === chunkBytes) {
        this.#send();
      }
    }
    return this.#pending.size < windowChunks ? undefined : this.#drained();
  }

  /**
   * Renews the record until the upload ends, so that sweepers leave it alone while its source pauses.
   * @param everyMs in milliseconds
   */
  keepAlive(everyMs: number): void {
    this.#timer ??= setInterval(() => void this.renew(), everyMs).unref();
  }

  /** Stores the record once more, as young. Never rejects: see `failure` if a sweeper was first. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #renew(): Promise<void> {
    if (this.#hasEnded || this.#failure !== undefined) {
      return;
    }
    const renewed = await this.#replace(uploading);
    if (renewed.kind === 'refused' && renewed.reason === 'conflict') {
      this.#failure ??= renewed;
    }
  }

  /** Replaces the record. One that was stored although its PubAck got lost is found. Never rejects. */
  async #replace(record: BodyRecord): Promise<PublishResult> {
    for (let tries = 1; ; tries++) {
      const sentAt = performance.now();
      const result = await this.#records.put(this.id, record, this.#sequence);
      if (result.kind === 'stored') {
        this.#sequence = result.sequence;
        this.#heardAt = sentAt;
        return result;
      }
      if (result.reason !== 'conflict' || tries === maxTries) {
        return result;
      }
      try {
        const found = await this.#records.find(this.id);
        if (found?.record.state !== 'uploading') {
          return { ...result, detail: 'the upload was removed, as nothing of it had arrived for a while' };
        }
        this.#sequence = found.sequence; // only this upload stores such a record
      } catch (error) {
        return { kind: 'refused', reason: 'unavailable', detail: String(error) };
      }
    }
  }

  /** From now on, the record is not renewed. */
  async #end(): Promise<void> {
    this.#hasEnded = true;
    clearInterval(this.#timer);
    await Promise.all(this.#pending);
    await this.#renewing;
  }

  /** Stores the rest, and then the record: from now on the body belongs to the call. Never rejects. */
  finish(call: Call): Promise<UploadResult> {
    return this.#finish((object) => ({ v: 1, state: 'stored', object, owner: bodyOwnerOf(call) }));
  }

  /** As `finish`, for the response to the call. */
  finishReply(call: Call): Promise<UploadResult> {
    const { generation = 0 } = call;
    return this.#finish((object) => ({ v: 2, state: 'stored', object, owner: bodyOwnerOf(call), generation }));
  }

  async #finish(toRecord: (object: BodyObject) => BodyRecord): Promise<UploadResult> {
    if (this.#filled > 0) {
      this.#send();
    }
    await this.#end();
    const object = { id: this.id, length: this.#length, sha256: this.#hash.digest('base64url') };
    const stored = this.#failure ?? (await this.#replace(toRecord(object)));
    if (stored.kind === 'stored') {
      return { kind: 'stored', object };
    }
    void this.abort();
    return stored;
  }

  /** Removes what is stored of it. Never rejects: what it cannot remove now is left to the sweeper. */
  async abort(): Promise<void> {
    this.#failure ??= { kind: 'refused', reason: 'unavailable', detail: 'the upload was given up' };
    await this.#end();
    await this.#records.remove(this.id, this.#sequence).catch(() => undefined);
  }

  #send(): void {
    const body = this.#chunk.subarray(0, this.#filled);
    this.#chunk = Buffer.allocUnsafeSlow(chunkBytes);
    this.#filled = 0;
    if (this.#failure !== undefined) {
      return;
    }
    this.#hash.update(body);
    for (const hash of this.#others) {
      hash.update(body);
    }
    const message = { subject: bodyChunkSubject(this.id), headers: new MessageHeaders(), body };
    const sent = this.#publish(message).then((result) => {
      this.#pending.delete(sent);
      if (result.kind === 'refused') {
        this.#failure ??= result;
      }
    });
    this.#pending.add(sent);
  }

  async #publish(message: Parameters<ChunkPublisher['publish']>[0]): Promise<PublishResult> {
    await this.#pace?.take(message.body.length, this.#owner);
    return this.#failure ?? this.#publisher.publish(message);
  }

  async #drained(): Promise<void> {
    while (this.#pending.size >= windowChunks) {
      await Promise.race(this.#pending);
    }
  }
}
