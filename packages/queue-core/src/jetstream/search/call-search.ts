import { setTimeout as delay } from 'node:timers/promises';
import { type CallFilter, type CallStatus, callStatuses, compareKeys, isNameInFilter } from '../../search/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { createCallSource } from './call-source.ts';
import { DeliveredCalls } from './delivered-calls.ts';
import { createOutcomeSource } from './outcome-source.ts';
import { PageReader, type PageReaderDependencies, type Unsearched } from './page-reader.ts';
import type { SearchIndex } from './search-index.ts';
import { type SearchPage, SearchPageBuilder, type SearchPosition } from './search-page.ts';
import { StreamIndex } from './stream-index.ts';
import type { StreamSource } from './stream-source.ts';

export interface SearchOptions {
  /** Most calls of the page. */
  readonly limit: number;
  /** `next` of the page before. Default: the newest call. */
  readonly from?: SearchPosition | undefined;
}

export interface CallSearchDependencies extends PageReaderDependencies {
  readonly topology: Pick<QueueTopology, 'manager' | 'listQueues' | 'listConsumers'>;
  /** Monotonic clock in milliseconds. */
  readonly monotonicNow?: () => number;
}

/** What a search is made in. */
interface Searched {
  readonly queues: readonly SearchIndex[];
  readonly outcomes: StreamIndex | undefined;
  readonly unsearched: Unsearched;
}

const newest: SearchPosition = { micros: Number.MAX_SAFE_INTEGER, hash: 0 };
/** Indexes are dropped when no search has used them for this long, in milliseconds. */
const idleMs = 300_000;

/**
 * Lists calls, newest first. It has no index before the first search, and each search extends the indexes only as far as it
 * needs.
 */
export class CallSearch {
  readonly #deps: CallSearchDependencies;
  readonly #now: () => number;
  readonly #queues = new Map<string, StreamIndex>();
  #outcomes: StreamIndex | undefined;
  #usedAt = Number.NEGATIVE_INFINITY;
  /** A search was cut before the outcomes were covered: the next ones shall find them covered. */
  #wantsAll = false;

  constructor(deps: CallSearchDependencies) {
    this.#deps = deps;
    this.#now = deps.monotonicNow ?? performance.now.bind(performance);
  }

  /** Messages that the indexes know, of all streams. */
  get size(): number {
    return [...this.#queues.values(), this.#outcomes].reduce((sum, index) => sum + (index?.entries.size ?? 0), 0);
  }

  /**
   * A page of the calls that a filter selects. Each call has its place for good, so no call comes twice or is left out
   * over the pages, whatever happens to it in the meantime. A page has fewer than `limit` calls at the end, or if the
   * search is cut, by its time or by the size of its calls: only a page without `next` is the last. Throws `QueueError`.
   */
  async list(filter: CallFilter, { limit, from = newest }: SearchOptions): Promise<SearchPage> {
    this.#usedAt = this.#now();
    const { queues, outcomes, unsearched } = await this.#open(filter);
    const refresh = async (): Promise<void> => {
      // An outcome is stored before its call leaves its queue, so in this order a call is in one of the two.
      await Promise.all(queues.map((index) => index.refresh()));
      await outcomes?.refresh();
    };
    await refresh();
    const builder = new SearchPageBuilder({
      reader: new PageReader(this.#deps, unsearched),
      indexes: [...queues, ...(outcomes === undefined ? [] : [outcomes])],
      filter,
      limit,
      from: earlier(from, filter.toMs),
      refresh,
      now: this.#now,
    });
    const page = await builder.build();
    this.#wantsAll ||= !page.complete;
    return page;
  }

  /**
   * Drops indexes that are not used, and keeps that of the outcomes close to its stream. To be called every few seconds.
   * Throws `QueueError`.
   */
  async tend(signal: AbortSignal): Promise<void> {
    if (this.#isIdle()) {
      this.#queues.clear();
      this.#outcomes = undefined;
      this.#wantsAll = false;
      return;
    }
    await this.#outcomes?.refresh();
    while (this.#wantsAll && this.#outcomes?.canExtend === true && !signal.aborted && !this.#isIdle()) {
      const begunAt = this.#now();
      await this.#outcomes.extend();
      // Half of the time at most: accepting calls comes first.
      await delay(this.#now() - begunAt, undefined, { signal }).catch(() => {});
    }
  }

  #isIdle(): boolean {
    return this.#now() - this.#usedAt > idleMs;
  }

  async #open(filter: CallFilter): Promise<Searched> {
    const { statuses = new Set(callStatuses) } = filter;
    const names = await this.#deps.topology.listQueues();
    const searched = names.filter((name) => filter.queue === undefined || filter.queue === name);
    const hasAllLiving = living.every((status) => statuses.has(status));
    const wantsEnds = ended.some((status) => statuses.has(status));
    return {
      queues: searched.flatMap((name) => this.#openQueue(name, filter, statuses)),
      outcomes: wantsEnds ? this.#openOutcomes() : undefined,
      unsearched: {
        queues: hasAllLiving ? names.filter((name) => !searched.includes(name)) : names,
        outcomes: !wantsEnds,
      },
    };
  }

  #openQueue(queue: string, filter: CallFilter, statuses: ReadonlySet<CallStatus>): SearchIndex[] {
    const indexes: SearchIndex[] = [];
    if (statuses.has('queued')) {
      indexes.push(this.#openCalls(queue, 'ready'), this.#openCalls(queue, 'wait'));
    } else if (statuses.has('running')) {
      indexes.push(new DeliveredCalls(this.#deps.topology, queue, (name) => isNameInFilter(filter, name)));
    }
    if (statuses.has('scheduled') || statuses.has('retrying')) {
      indexes.push(this.#openCalls(queue, 'later'));
    }
    return indexes;
  }

  #openCalls(queue: string, readiness: 'ready' | 'later' | 'wait'): StreamIndex {
    const key = `${queue}/${readiness}`;
    const known = this.#queues.get(key);
    const index = known ?? this.#createIndex(createCallSource(() => this.#deps.topology.manager, queue, readiness));
    this.#queues.set(key, index);
    return index;
  }

  #openOutcomes(): StreamIndex {
    const { broker, topology, resultTtlMs } = this.#deps;
    this.#outcomes ??= this.#createIndex(
      createOutcomeSource(broker, () => topology.manager),
      resultTtlMs,
    );
    return this.#outcomes;
  }

  #createIndex(source: StreamSource, keptMs = 0): StreamIndex {
    return new StreamIndex(source, () => this.#deps.topology.manager, { now: this.#deps.now, keptMs });
  }
}

const living: readonly CallStatus[] = ['scheduled', 'queued', 'running', 'retrying'];
const ended: readonly CallStatus[] = ['succeeded', 'failed', 'cancelled', 'expired'];

/** Below all that was accepted later than a filter allows. */
function earlier(from: SearchPosition, toMs: number | undefined): SearchPosition {
  const to = toMs === undefined ? newest : { micros: Math.max(0, (toMs + 1) * 1_000), hash: 0 };
  return compareKeys(to, from) < 0 ? to : from;
}
