import type { Rate } from '@asyncfn/units';
import type { StoredMsg } from '@nats-io/jetstream';
import { flowEntryFilter, flowStateSubject, queueStream } from '../../call/index.ts';
import {
  emptyState,
  type FlowKey,
  type FlowPlace,
  type FlowState,
  flowPlaceIn,
  flowStateCodec,
  type LimitSources,
  limitOf,
  rateOf,
  sourcesOf,
} from '../../flows/index.ts';
import { forEachLimited } from '../../for-each-limited.ts';
import type { FunctionConfig } from '../../functions/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { countMessages } from '../messages/index.ts';
import type { FlowStore } from './flow-store.ts';
import { readBatch } from './read-batch.ts';

export interface FlowInspectorDependencies {
  readonly topology: Pick<QueueTopology, 'manager' | 'listQueues'>;
  readonly store: Pick<FlowStore, 'read'>;
  readonly lookup: (name: string) => Pick<FunctionConfig, 'flow'> | undefined;
}

/** A flow key in a queue, as it is now. */
export interface FlowInfo extends FlowKey {
  readonly queue: string;
  /** Calls that wait for their turn. */
  readonly waiting: number;
  /** Calls that have their turn: they are ready, run, or wait for a retry. */
  readonly running: number;
  /** Most of them at once. */
  readonly parallelism: number;
  /** Most of them in any window of a length; undefined for no limit. */
  readonly rate: Rate | undefined;
  /** Who has set these limits. */
  readonly limitsFrom: LimitSources;
  readonly paused: boolean;
  /** Whether an operator has set its limits. */
  readonly pinned: boolean;
}

/** Where a page of keys begins. */
export interface FlowPosition {
  readonly queue: string;
  readonly sequence: number;
}

export interface FlowPage {
  readonly flows: readonly FlowInfo[];
  /** Where the next page begins; undefined after the last one. */
  readonly next: FlowPosition | undefined;
}

/** Which keys are listed. */
export interface FlowFilter {
  /** Whether keys of a function are. */
  readonly includes: (name: string) => boolean;
}

/** Most states that are read for a page: a filter may select few of them. */
const maxRead = 10_000;
/** Keys whose waiting calls are counted at once. */
const maxCounts = 16;

/** Reads the flow keys that have calls, or that an operator has paused or pinned: those that have a state. */
export class FlowInspector {
  readonly #deps: FlowInspectorDependencies;

  constructor(deps: FlowInspectorDependencies) {
    this.#deps = deps;
  }

  /** One key in one queue. Throws `QueueError`. */
  async find(place: FlowPlace): Promise<FlowInfo> {
    const { state } = await this.#deps.store.read(place);
    return await this.#toInfo(place.queue, state ?? emptyState(place));
  }

  /** Whether there is anything of the key in its queue. */
  async isKnown(place: FlowPlace): Promise<boolean> {
    const { sequence } = await this.#deps.store.read(place);
    return sequence > 0 || (await this.#countWaiting(place)) > 0;
  }

  /**
   * A page of keys, queue by queue, in the order in which they changed. A key that changes while pages are read may come
   * twice. Throws `QueueError`.
   * @param limit most keys; a page may have fewer, and still not be the last
   * @param from default: the first page
   */
  async list({ includes }: FlowFilter, limit: number, from?: FlowPosition): Promise<FlowPage> {
    const queues = (await this.#deps.topology.listQueues()).toSorted().filter((name) => name >= (from?.queue ?? ''));
    const found: { queue: string; state: FlowState }[] = [];
    let left = maxRead;
    for (const queue of queues) {
      let next = queue === from?.queue ? from.sequence : 1;
      for (let isOver = false; !isOver; ) {
        const messages = await this.#readStates(queue, next, Math.min(left, limit - found.length));
        left -= messages.length;
        found.push(...messages.flatMap((message) => toIncluded(queue, message, includes)));
        next = (messages.at(-1)?.seq ?? next) + 1;
        isOver = messages.length === 0;
        if (found.length >= limit || left <= 0) {
          return { flows: await this.#toInfos(found), next: { queue, sequence: next } };
        }
      }
    }
    return { flows: await this.#toInfos(found), next: undefined };
  }

  #readStates(queue: string, from: number, most: number): Promise<StoredMsg[]> {
    return readBatch(this.#deps.topology.manager, queueStream(queue), flowStateSubject(queue, '*'), { from, most });
  }

  async #toInfos(states: readonly { readonly queue: string; readonly state: FlowState }[]): Promise<FlowInfo[]> {
    const infos = new Map<number, FlowInfo>();
    await forEachLimited([...states.entries()], maxCounts, async ([index, { queue, state }]) => {
      infos.set(index, await this.#toInfo(queue, state));
    });
    return states.flatMap((_, index) => infos.get(index) ?? []).filter(isShown);
  }

  async #toInfo(queue: string, state: FlowState): Promise<FlowInfo> {
    const { function: name, submitter, key, running, paused = false, pin, parallelism, rate } = state;
    const settings = this.#deps.lookup(name)?.flow;
    return {
      function: name,
      ...(submitter !== undefined && { submitter }),
      key,
      queue,
      waiting: await this.#countWaiting(flowPlaceIn(queue, state)),
      running: running.length,
      parallelism: limitOf(state, settings?.parallelism, parallelism),
      rate: rateOf(state, settings?.rate, rate),
      limitsFrom: sourcesOf(state, settings),
      paused,
      pinned: pin !== undefined,
    };
  }

  #countWaiting({ queue, id }: FlowPlace): Promise<number> {
    return countMessages(this.#deps.topology.manager, queueStream(queue), flowEntryFilter(queue, id));
  }
}

/** The state of a key with a rate is kept for a period after its last call. */
function isShown({ waiting, running, paused, pinned }: FlowInfo): boolean {
  return waiting > 0 || running > 0 || paused || pinned;
}

function toIncluded(queue: string, { header }: StoredMsg, includes: FlowFilter['includes']) {
  const state = flowStateCodec.decode(header.get(flowStateCodec.header));
  return state !== undefined && includes(state.function) ? [{ queue, state }] : [];
}
