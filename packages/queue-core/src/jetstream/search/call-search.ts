import { type CallFilter, compareKeys } from '../../search/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import type { PageBroker } from '../messages/index.ts';
import { createCallSource } from './call-source.ts';
import { createOutcomeSource } from './outcome-source.ts';
import { PageReader, type PageReaderDependencies } from './page-reader.ts';
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
  readonly broker: PageBroker;
  readonly topology: Pick<QueueTopology, 'manager' | 'listQueues'>;
}

const newest: SearchPosition = { micros: Number.MAX_SAFE_INTEGER, hash: 0 };

/** Lists calls, newest first. */
export class CallSearch {
  readonly #deps: CallSearchDependencies;
  readonly #queues = new Map<string, StreamIndex>();
  readonly #outcomes: StreamIndex;

  constructor(deps: CallSearchDependencies) {
    this.#deps = deps;
    const source = createOutcomeSource(deps.broker, () => deps.topology.manager);
    this.#outcomes = this.#createIndex(source, deps.resultTtlMs);
  }

  /**
   * A page of the calls that a filter selects. Each call has its place for good, so no call comes twice or is left out
   * over the pages, whatever happens to it in the meantime. A page has fewer than `limit` calls at the end, or if the
   * search is cut: only a page without `next` is the last. Throws `QueueError`.
   */
  async list(filter: CallFilter, { limit, from = newest }: SearchOptions): Promise<SearchPage> {
    const queues = await this.#openQueues(filter);
    const refresh = async (): Promise<void> => {
      // An outcome is stored before its call leaves its queue, so in this order a call is in one of the two.
      await Promise.all(queues.map((index) => index.refresh()));
      await this.#outcomes.refresh();
    };
    await refresh();
    const builder = new SearchPageBuilder({
      reader: new PageReader(this.#deps),
      indexes: [...queues, this.#outcomes],
      filter,
      limit,
      from: earlier(from, filter.toMs),
      refresh,
      now: performance.now.bind(performance),
    });
    return await builder.build();
  }

  async #openQueues({ queue }: CallFilter): Promise<StreamIndex[]> {
    const names = (await this.#deps.topology.listQueues()).filter((name) => queue === undefined || queue === name);
    return names.map((name) => {
      const source = createCallSource(() => this.#deps.topology.manager, name);
      const index = this.#queues.get(name) ?? this.#createIndex(source);
      this.#queues.set(name, index);
      return index;
    });
  }

  #createIndex(source: StreamSource, keptMs = 0): StreamIndex {
    return new StreamIndex(source, () => this.#deps.topology.manager, { now: this.#deps.now, keptMs });
  }
}

/** Below all that was accepted later than a filter allows. */
function earlier(from: SearchPosition, toMs: number | undefined): SearchPosition {
  const to = toMs === undefined ? newest : { micros: (toMs + 1) * 1_000, hash: 0 };
  return compareKeys(to, from) < 0 ? to : from;
}
