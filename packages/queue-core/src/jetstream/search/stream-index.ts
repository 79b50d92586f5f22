import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { retry } from '../../retry.ts';
import { CallIndex, type CallKey } from '../../search/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import type { SearchIndex } from './search-index.ts';
import type { StoredPlace, StreamPart, StreamSource } from './stream-source.ts';

/** Entries of one index: 66 MB. */
const maxEntries = 2_000_000;
/** The clocks of gateways may be ahead of the broker's. */
const clockSlackMs = 1_000;
/** Messages that are read first. */
const firstWindow = 1_000;

/** How long to wait for a replica, in milliseconds. The last message may also have been removed since. */
const catchUpWaits: readonly number[] = [10, 20, 50];

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
export class StreamIndex implements SearchIndex {
  readonly #source: StreamSource;
  readonly #manager: () => JetStreamManager;
  readonly #options: StreamIndexOptions;
  #entries = new CallIndex();
  #created = '';
  /** First sequence that the stream has and that counts. */
  #first = 1;
  /** The covered sequences, from `#low` to `#high`. */
  #low = 1;
  #high = 0;
  /** Messages to read at once. */
  #window = firstWindow;
  /** Sequences to read at once when it reaches back. */
  #span = 1;
  /** Some of the covered messages, in order. */
  #places: StoredPlace[] = [];
  /** Calls that were accepted by then are left out: Unix time in microseconds. */
  #floor = Number.NEGATIVE_INFINITY;
  #prunedTo = 0;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(source: StreamSource, manager: () => JetStreamManager, options: StreamIndexOptions) {
    this.#source = source;
    this.#manager = manager;
    this.#options = options;
  }

  get stream(): string {
    return this.#source.stream;
  }

  get kind(): StreamSource['kind'] {
    return this.#source.kind;
  }

  get entries(): CallIndex {
    return this.#entries;
  }

  get first(): number {
    return this.#first;
  }

  get bound(): number {
    if (this.#low <= this.#first) {
      return this.#floor;
    }
    const oldest = this.#places[0];
    const reached = oldest === undefined ? Number.POSITIVE_INFINITY : (oldest.atMs + clockSlackMs) * 1_000;
    return Math.max(reached, this.#floor);
  }

  get canExtend(): boolean {
    return this.#low > this.#first && !this.isCapped;
  }

  get isCapped(): boolean {
    return this.#floor > Number.NEGATIVE_INFINITY;
  }

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

  forget(key: CallKey, sequences: ReadonlySet<number>): void {
    this.#entries.remove(key, sequences);
  }

  async #refresh(): Promise<void> {
    const info = await this.#info();
    const { first_seq: first, last_seq: last, messages } = info?.state ?? { first_seq: 1, last_seq: 0, messages: 0 };
    const isOther = info?.created !== this.#created || last < this.#high;
    if (isOther || Math.min(last - this.#high, messages) > this.#source.maxTail || this.#isStale(messages)) {
      this.#begin(info?.created ?? '', last);
      this.#span = Math.ceil((this.#window * (last - first + 1)) / Math.max(1, messages));
    }
    // All that was stored may be removed again.
    this.#high = Math.max(this.#high, first - 1);
    const hasReplicas = (info?.config.num_replicas ?? 1) > 1;
    await retry(() => this.#catchUp(last, hasReplicas), {
      waits: catchUpWaits,
      until: () => this.#high >= last,
    });
    this.#prune(first);
  }

  /** A replica may be behind the leader, which has said what the last message is. */
  async #catchUp(last: number, hasReplicas: boolean): Promise<void> {
    if (last > this.#high) {
      const part = await this.#source.read(this.#high + 1, last);
      this.#add(part);
      this.#places.push(...part.places);
      this.#high = hasReplicas ? (part.reached ?? last) : last;
    }
  }

  #begin(created: string, last: number): void {
    this.#entries = new CallIndex();
    this.#created = created;
    this.#low = last + 1;
    this.#high = last;
    this.#window = firstWindow;
    this.#places = [];
    this.#floor = Number.NEGATIVE_INFINITY;
    this.#prunedTo = 0;
  }

  /** Messages leave the middle of a stream without a notice. And what was left out may have room by now. */
  #isStale(messages: number): boolean {
    const { size } = this.#entries;
    return size > 2 * messages + this.#source.window || (this.isCapped && size < maxEntries / 2);
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
    const from = Math.max(this.#first, this.#low - this.#span);
    const part = await this.#source.read(from, this.#low - 1);
    this.#add(part);
    this.#places.unshift(...part.places);
    this.#low = from;
    this.#adaptSpan(part.entries.length);
    this.#prune(this.#first);
  }

  /** Small parts answer the first page soon, and larger ones save requests later. Some parts of a stream hold fewer messages. */
  #adaptSpan(read: number): void {
    const hasGrown = this.#window < this.#source.window;
    this.#window = Math.min(this.#window * 2, this.#source.window);
    if (hasGrown || read < this.#window / 4) {
      this.#span *= 2;
    } else if (read > this.#window * 2) {
      this.#span = Math.ceil(this.#span / 2);
    }
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
    const { stream } = this.#source;
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
