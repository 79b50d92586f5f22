import { forEachLimited } from '../../for-each-limited.ts';
import type { CallState } from '../../records/index.ts';
import {
  type CallFilter,
  type CallKey,
  type CallStatus,
  callStatuses,
  compareKeys,
  factsOfCall,
  factsOfOutcome,
  type IndexProbe,
  isInFilter,
  isNameInFilter,
  marksOf,
  statusBits,
} from '../../search/index.ts';
import type { ListedCall, PageReader, ReadGroup } from './page-reader.ts';
import type { SearchIndex } from './search-index.ts';

/** A place in the order of all calls. A page begins below it. */
export interface SearchPosition extends CallKey {
  /** If present, the page begins with the calls of this very key whose identity sorts after this one. */
  readonly after?: string | undefined;
}

export interface SearchPage {
  /** Newest first. */
  readonly calls: readonly CallState[];
  /** Where the next page begins; undefined if nothing follows. */
  readonly next: SearchPosition | undefined;
  /** False if the search was cut before it had found as many calls as were asked for, or if calls are left out. */
  readonly complete: boolean;
}

interface PageOptions {
  readonly reader: PageReader;
  /** Of the queues, then of the outcomes. */
  readonly indexes: readonly SearchIndex[];
  readonly filter: CallFilter;
  readonly limit: number;
  readonly from: SearchPosition;
  /** Catches up with all streams. */
  readonly refresh: () => Promise<void>;
  /** Monotonic clock in milliseconds. */
  readonly now: () => number;
}

interface PlacedCall extends ListedCall {
  readonly key: CallKey;
}

/** Of no call. */
const none: CallKey = { micros: Number.NaN, hash: Number.NaN };
/** A page that takes longer is cut, in milliseconds: one with calls, and one that has found none yet. */
const longestMs = 2_000;
const longestEmptyMs = 10_000;
/** Calls that are read at once. */
const maxReads = 16;
/** A page is cut once its calls are larger, so that calls with long headers or chains do not fill the memory. */
const maxBytes = 4 * 1024 * 1024;
/** So many calls are read before their size is looked at. */
const maxKeys = 128;
/** A call may move while it is read, so many times. */
const maxMoves = 5;

/** One page of a search: takes calls from the indexes in their order, reads each, and extends the indexes as needed. */
export class SearchPageBuilder {
  readonly #options: PageOptions;
  readonly #probe: Omit<IndexProbe, 'fromSequence'>;
  readonly #calls: PlacedCall[] = [];
  /** About as large as the calls are. */
  #bytes = 0;
  /** Everything above it is examined. */
  #position: SearchPosition;

  constructor(options: PageOptions) {
    this.#options = options;
    this.#probe = toProbe(options.filter);
    this.#position = options.from;
  }

  /** Throws `QueueError`. */
  async build(): Promise<SearchPage> {
    const { limit } = this.#options;
    const begunAt = this.#options.now();
    for (let isFirst = true; this.#calls.length <= limit; isFirst = false) {
      const keys = this.#nextKeys(Math.min(limit + 1 - this.#calls.length, maxKeys));
      if (keys.length === 0 && this.#isAtEnd()) {
        return this.#toPage(undefined, !this.#isCapped());
      }
      if (keys.length === 0 && this.#calls.length === limit) {
        break; // whether another one follows is for the next page to find out
      }
      if (!isFirst && (this.#bytes > maxBytes || this.#isLate(begunAt))) {
        return this.#toPage(this.#cutPosition(keys), false);
      }
      await this.#proceed(keys);
    }
    const last = this.#calls[limit - 1];
    return this.#toPage(last && { ...last.key, after: last.tokens }, true);
  }

  #isLate(begunAt: number): boolean {
    return this.#options.now() - begunAt > (this.#calls.length > 0 ? longestMs : longestEmptyMs);
  }

  #proceed(keys: readonly CallKey[]): Promise<void> {
    return keys.length === 0 ? this.#extend() : this.#readAll(keys);
  }

  #toPage(next: SearchPosition | undefined, complete: boolean): SearchPage {
    return { calls: this.#calls.slice(0, this.#options.limit).map(({ state }) => state), next, complete };
  }

  /**
   * The keys of the next calls that may be selected, newest first, as far down as all indexes know all calls. An index may
   * have several messages of a call, so it may have given fewer keys than entries: no key below its last one counts.
   */
  #nextKeys(count: number): CallKey[] {
    const { indexes } = this.#options;
    const bound = this.#bound();
    const { after, ...below } = this.#position;
    const taken = indexes.map(({ entries, first }) =>
      entries.take(below, after !== undefined, { ...this.#probe, fromSequence: first }, count),
    );
    const ends = taken.flatMap((entries) => (entries.length < count ? [] : (entries.at(-1) ?? [])));
    const isReached = (key: CallKey): boolean => key.micros > bound && ends.every((end) => compareKeys(key, end) >= 0);
    const keys: CallKey[] = [];
    for (const { micros, hash } of taken.flat().toSorted((a, b) => compareKeys(b, a))) {
      const key = { micros, hash };
      if (isReached(key) && compareKeys(keys.at(-1) ?? none, key) !== 0) {
        keys.push(key);
      }
    }
    return keys.slice(0, count);
  }

  async #readAll(keys: readonly CallKey[]): Promise<void> {
    const groups = new Map<CallKey, ReadGroup>();
    let left = keys;
    await this.#options.reader.prepare(keys, this.#options.indexes);
    for (let moves = 0; left.length > 0 && moves < maxMoves; moves++) {
      if (moves > 0) {
        await this.#options.refresh();
      }
      await forEachLimited(left, maxReads, async (key) => {
        groups.set(key, await this.#options.reader.read(key, this.#options.indexes));
      });
      left = left.filter((key) => groups.get(key)?.hasGone);
    }
    for (const key of keys) {
      this.#take(key, groups.get(key)?.calls ?? []);
      this.#position = key;
    }
  }

  #take(key: CallKey, calls: readonly ListedCall[]): void {
    const { after } = this.#position;
    const isFirst = after !== undefined && compareKeys(this.#position, key) === 0;
    for (const call of calls) {
      if ((!isFirst || call.tokens > after) && isSelected(this.#options.filter, call.state)) {
        this.#calls.push({ ...call, key });
        this.#bytes += JSON.stringify(call.state).length;
      }
    }
  }

  /** Reaches further back in the streams that are known least. */
  async #extend(): Promise<void> {
    const bound = this.#bound();
    const behind = this.#options.indexes.filter((index) => index.bound === bound && index.canExtend);
    await Promise.all(behind.map((index) => index.extend()));
  }

  #bound(): number {
    return Math.max(...this.#options.indexes.map(({ bound }) => bound));
  }

  /** Whether no older call can be selected, or found. */
  #isAtEnd(): boolean {
    const bound = this.#bound();
    const behind = this.#options.indexes.filter((index) => index.bound === bound);
    return bound < this.#probe.fromMicros || behind.every((index) => !index.canExtend);
  }

  #isCapped(): boolean {
    const { fromMicros } = this.#probe;
    return this.#options.indexes.some(
      ({ isCapped, bound }) => isCapped && (bound >= fromMicros || bound === Number.NEGATIVE_INFINITY),
    );
  }

  #cutPosition(keys: readonly CallKey[]): SearchPosition {
    const reached = { micros: Math.floor(this.#bound()) + 1, hash: 0 };
    const isLower = keys.length === 0 && compareKeys(reached, this.#position) < 0;
    return isLower ? reached : this.#position;
  }
}

function toProbe(filter: CallFilter): Omit<IndexProbe, 'fromSequence'> {
  const { statuses = new Set(callStatuses), label, fromMs } = filter;
  // A ready call may be running: only its worker knows.
  const wanted = statuses.has('running') ? new Set<CallStatus>([...statuses, 'queued']) : statuses;
  return {
    isName: (name) => isNameInFilter(filter, name),
    statuses: statusBits(wanted),
    marks: marksOf({ ...filter, labels: label === undefined ? [] : [label] }),
    fromMicros: fromMs === undefined ? Number.NEGATIVE_INFINITY : fromMs * 1_000,
  };
}

function isSelected(filter: CallFilter, state: CallState): boolean {
  const [facts, status] =
    state.kind === 'active'
      ? ([factsOfCall(state.call), state.phase] as const)
      : ([factsOfOutcome(state.outcome), state.outcome.status] as const);
  return isInFilter(filter, facts) && (filter.statuses?.has(status) ?? true);
}
