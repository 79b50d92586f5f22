import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { CallIndex } from '../../search/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import type { StoredPlace, StreamPart, StreamSource } from './stream-source.ts';

/** Entries of one index: 58 MB. */
const maxEntries = 2_000_000;
/** The clocks of gateways may be ahead of the broker's. */
const clockSlackMs = 1_000;

export interface StreamIndexOptions {
  /** Messages that are older than this no longer count, in milliseconds. Default: all count. */
  readonly keptMs?: number;
  /** By the broker's clock: Unix time in milliseconds. */
  readonly now: () => number;
}

/**
 * An index of what a stream says about calls. It covers the newest messages and reaches back as far as it was asked to. A
 * call is accepted before any message of it is stored: so all calls that were accepted after the oldest message which is
 * covered are in the index, whatever the order of the messages is.
 */
export class StreamIndex {
  readonly source: StreamSource;
  readonly #manager: () => JetStreamManager;
  readonly #options: StreamIndexOptions;
  #entries = new CallIndex();
  #created = '';
  /** First sequence that the stream has and that counts. */
  #first = 1;
  /** The covered sequences, from `#low` to `#high`. */
  #low = 1;
  #high = 0;
  #density = 1;
  /** Some of the covered messages, in order. */
  #places: StoredPlace[] = [];
  /** Calls that were accepted by then are left out: Unix time in microseconds. */
  #floor = Number.NEGATIVE_INFINITY;
  #prunedTo = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(source: StreamSource, manager: () => JetStreamManager, options: StreamIndexOptions) {
    this.source = source;
    this.#manager = manager;
    this.#options = options;
  }

  get entries(): CallIndex {
    return this.#entries;
  }

  /** First sequence that counts. */
  get first(): number {
    return this.#first;
  }

  /** All calls that were accepted later are in the index: Unix time in microseconds; negative infinity if all are. */
  get bound(): number {
    if (this.#low <= this.#first) {
      return this.#floor;
    }
    const oldest = this.#places[0];
    const reached = oldest === undefined ? Number.POSITIVE_INFINITY : (oldest.atMs + clockSlackMs) * 1_000;
    return Math.max(reached, this.#floor);
  }

  /** Whether the stream has more than the index covers, and there is room. */
  get canExtend(): boolean {
    return this.#low > this.#first && !this.isCapped;
  }

  /** Whether older calls are left out for good, because there are too many. */
  get isCapped(): boolean {
    return this.#floor > Number.NEGATIVE_INFINITY;
  }

  /** Catches up with the stream. Throws `QueueError`. */
  refresh(): Promise<void> {
    return this.#inTurn(() => this.#refresh());
  }

  /** Reaches further back, unless another request has done so in the meantime. Throws `QueueError`. */
  extend(): Promise<void> {
    const low = this.#low;
    return this.#inTurn(async () => {
      if (this.#low === low) {
        await this.#extend();
      }
    });
  }

  /** Removes entries of messages that were not found. */
  forget(sequences: ReadonlySet<number>): void {
    this.#entries.retain((sequence) => !sequences.has(sequence));
  }

  async #refresh(): Promise<void> {
    const info = await this.#info();
    const { first_seq: first, last_seq: last, messages } = info?.state ?? { first_seq: 1, last_seq: 0, messages: 0 };
    const isOther = info?.created !== this.#created || last < this.#high;
    if (isOther || Math.min(last - this.#high, messages) > this.source.maxTail || this.#isStale(messages)) {
      this.#begin(info?.created ?? '', last);
    }
    this.#density = messages / Math.max(1, last - first + 1);
    if (last > this.#high) {
      const part = await this.source.read(this.#high + 1, last);
      this.#add(part);
      this.#places.push(...part.places);
      this.#high = last;
    }
    this.#prune(first);
  }

  #begin(created: string, last: number): void {
    this.#entries = new CallIndex();
    this.#created = created;
    this.#low = last + 1;
    this.#high = last;
    this.#places = [];
    this.#floor = Number.NEGATIVE_INFINITY;
    this.#prunedTo = 0;
  }

  /** Messages leave the middle of a stream without a notice. And what was left out may have room by now. */
  #isStale(messages: number): boolean {
    const { size } = this.#entries;
    return size > 2 * messages + this.source.window || (this.isCapped && size < maxEntries / 2);
  }

  #prune(first: number): void {
    const { keptMs = 0, now } = this.#options;
    const oldMs = keptMs > 0 ? now() - keptMs : Number.NEGATIVE_INFINITY;
    const old = this.#places.findLast(({ atMs }) => atMs < oldMs);
    this.#first = Math.max(first, (old?.sequence ?? 0) + 1);
    if (this.#first - this.#prunedTo > this.#entries.size / 8) {
      this.#entries.retain((sequence) => sequence >= this.#first);
      this.#places = this.#places.filter(({ sequence }) => sequence >= this.#first);
      this.#prunedTo = this.#first;
    }
  }

  async #extend(): Promise<void> {
    if (!this.canExtend) {
      return;
    }
    const span = Math.ceil(this.source.window / Math.max(this.#density, 1e-6));
    const from = Math.max(this.#first, this.#low - span);
    const part = await this.source.read(from, this.#low - 1);
    this.#add(part);
    this.#places.unshift(...part.places);
    this.#low = from;
    this.#prune(this.#first);
  }

  #add({ entries }: StreamPart): void {
    for (const entry of entries) {
      this.#entries.add(entry);
    }
    while (this.#entries.size > maxEntries) {
      this.#floor = this.#entries.dropOldest()?.micros ?? this.#floor;
    }
  }

  async #info(): Promise<StreamInfo | undefined> {
    const { stream } = this.source;
    try {
      return await this.#manager().streams.info(stream);
    } catch (error) {
      if (isApiError(error, 'streamNotFound')) {
        return undefined;
      }
      throw asQueueError(error, `${stream} cannot be searched`);
    }
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => {});
    await turn;
  }
}
