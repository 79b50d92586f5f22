import { type FlowControl, type FlowPlace, flowPlaceIn } from '@asyncfn/queue-core';
import type { FlowInfo } from '@asyncfn/queue-core/jetstream';
import type { AppDependencies } from '../src/app.ts';

/** Flow keys in memory. */
export class MemoryFlows {
  /** What there is, in the order in which it is listed. */
  readonly known: FlowPlace[] = [];
  readonly changes: { readonly place: FlowPlace; readonly control: FlowControl }[] = [];
  /** What the broker says to changes. */
  problem: string | undefined;

  readonly admin: AppDependencies['flows'] = {
    list: async (includes, limit, from) => {
      const start = from?.sequence ?? 0;
      const listed = this.known.slice(start, start + limit);
      const next = start + limit < this.known.length ? { queue: 'default', sequence: start + limit } : undefined;
      return { flows: listed.filter((place) => includes(place.function)).map(toInfo), next };
    },
    find: async ({ function: name, key, submitters }) =>
      this.known.filter(
        (place) => place.function === name && place.key === key && submitters.includes(place.submitter),
      ),
    show: async ([place]) => toInfo(place),
    control: async (places, control) => {
      this.changes.push(...places.map((place) => ({ place, control })));
      return this.problem;
    },
  };

  add(name: string, key: string, submitter?: string, queue = 'default'): FlowPlace {
    const place = flowPlaceIn(queue, { function: name, submitter, key });
    this.known.push(place);
    return place;
  }
}

function toInfo({ function: name, key, submitter, queue }: FlowPlace): FlowInfo {
  const of = { function: name, key, queue, ...(submitter !== undefined && { submitter }) };
  return {
    ...of,
    waiting: 2,
    running: 1,
    parallelism: 1,
    rate: { count: 10, periodMs: 60_000 },
    limitsFrom: { parallelism: 'function', rate: null },
    paused: false,
    pinned: false,
  };
}
