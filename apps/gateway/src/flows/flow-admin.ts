import { type FlowControl, type FlowPlace, flowPlaceIn, forEachLimited } from '@asyncfn/queue-core';
import type { FlowInfo, FlowPage, FlowPosition, Flows, QueueTopology } from '@asyncfn/queue-core/jetstream';

export interface FlowAdminDependencies {
  readonly flows: Pick<Flows, 'inspector' | 'control'>;
  readonly topology: Pick<QueueTopology, 'listQueues'>;
}

/** A flow key as a request names it. */
export interface NamedFlow {
  readonly function: string;
  readonly key: string;
  /** Those of whom the key may be; undefined is without a token. */
  readonly submitters: readonly (string | undefined)[];
}

/** Keys that are looked for at once. */
const maxLooks = 16;

/**
 * The flow keys of all queues, for operators. A key is in several queues while a function moves from one to another: it is one
 * key for them. Methods throw `QueueError`.
 */
export class FlowAdmin {
  readonly #deps: FlowAdminDependencies;

  constructor(deps: FlowAdminDependencies) {
    this.#deps = deps;
  }

  list(includes: (name: string) => boolean, limit: number, from: FlowPosition | undefined): Promise<FlowPage> {
    return this.#deps.flows.inspector.list({ includes }, limit, from);
  }

  /** Where there is anything of a key. */
  async find({ function: name, key, submitters }: NamedFlow): Promise<FlowPlace[]> {
    const queues = await this.#deps.topology.listQueues();
    const places = queues.flatMap((queue) =>
      submitters.map((submitter) => flowPlaceIn(queue, { function: name, submitter, key })),
    );
    const known: FlowPlace[] = [];
    await forEachLimited(places, maxLooks, async (place) => {
      if (await this.#deps.flows.inspector.isKnown(place)) {
        known.push(place);
      }
    });
    return known;
  }

  /** A key in all its queues. What is said of its limits is that of the first of them. */
  async show(places: readonly [FlowPlace, ...FlowPlace[]]): Promise<FlowInfo> {
    const { inspector } = this.#deps.flows;
    const [first, ...others] = places;
    let info = await inspector.find(first);
    for (const place of others) {
      const { waiting, running, paused, pinned } = await inspector.find(place);
      info = {
        ...info,
        waiting: info.waiting + waiting,
        running: info.running + running,
        paused: info.paused || paused,
        pinned: info.pinned || pinned,
      };
    }
    return info;
  }

  /** Changes a key in all its queues. Returns what the broker has said if it did not take a change. */
  async control(places: readonly FlowPlace[], control: FlowControl): Promise<string | undefined> {
    for (const place of places) {
      const result = await this.#deps.flows.control(place, control);
      if (result.kind === 'refused') {
        return result.detail;
      }
    }
    return undefined;
  }
}
