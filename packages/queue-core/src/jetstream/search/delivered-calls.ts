import { functionFilter, queueStream } from '../../call/index.ts';
import { CallIndex, type CallKey, type IndexName } from '../../search/index.ts';
import type { LaneState, QueueTopology } from '../layout/index.ts';
import { readCalls } from './call-source.ts';
import type { SearchIndex } from './search-index.ts';

/** Calls of one queue that workers have at once. Beyond that, some are left out. */
const maxDelivered = 20_000;

/**
 * The calls of a queue that workers have: these alone stand before the last delivered one of their function, so they are
 * found without reading those that wait, however many these are. For one page.
 */
export class DeliveredCalls implements SearchIndex {
  readonly stream: string;
  readonly kind = 'call';
  readonly first = 1;
  readonly bound = Number.NEGATIVE_INFINITY;
  readonly canExtend = false;
  readonly #topology: Pick<QueueTopology, 'manager' | 'listConsumers'>;
  readonly #queue: string;
  readonly #isName: (name: IndexName) => boolean;
  #entries = new CallIndex();
  #isCapped = false;

  /** @param isName functions that count */
  constructor(
    topology: Pick<QueueTopology, 'manager' | 'listConsumers'>,
    queue: string,
    isName: (name: IndexName) => boolean,
  ) {
    this.stream = queueStream(queue);
    this.#topology = topology;
    this.#queue = queue;
    this.#isName = isName;
  }

  get entries(): CallIndex {
    return this.#entries;
  }

  get isCapped(): boolean {
    return this.#isCapped;
  }

  async refresh(): Promise<void> {
    const entries = new CallIndex();
    const { lanes } = await this.#topology.listConsumers(this.#queue);
    for (const lane of lanes.filter((each) => each.inFlight > 0 && this.#isName({ ...each, queue: this.#queue }))) {
      for (const entry of (await this.#readLane(lane, maxDelivered - entries.size)).entries) {
        entries.add(entry);
      }
    }
    this.#entries = entries;
    this.#isCapped = entries.size >= maxDelivered;
  }

  async extend(): Promise<void> {}

  forget(key: CallKey, sequences: ReadonlySet<number>): void {
    this.#entries.remove(key, sequences);
  }

  #readLane({ function: name, deliveredSequence }: LaneState, most: number) {
    const range = { queue: this.#queue, filter: functionFilter(this.#queue, name), from: 1 };
    return readCalls(this.#topology.manager, range, deliveredSequence, most);
  }
}
