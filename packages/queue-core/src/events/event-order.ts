import { type CallEvent, callOfEvent, rankOfEvent } from './call-event.ts';

interface HeldEvent {
  readonly event: CallEvent;
  readonly call: string;
  readonly rank: number;
  readonly bundle: number;
}

/**
 * Puts the events of a call into the order of its life. They come from several processes, each of which sends its own a
 * little later, so events are held for a moment: what comes in that time and belongs before them goes before them.
 */
export class EventOrder {
  #held: HeldEvent[] = [];
  #bundles = 0;

  /** Holds the events of a bundle. Returns what releases them, together with the events that belong before them. */
  hold(events: readonly CallEvent[]): () => CallEvent[] {
    this.#bundles += 1;
    const bundle = this.#bundles;
    for (const event of events) {
      this.#held.push({ event, call: callOfEvent(event), rank: rankOfEvent(event), bundle });
    }
    return () => this.#release(bundle);
  }

  #release(upTo: number): CallEvent[] {
    const latest = new Map<string, number>();
    for (const { bundle, call, rank } of this.#held) {
      if (bundle <= upTo) {
        latest.set(call, Math.max(rank, latest.get(call) ?? 0));
      }
    }
    const isDue = ({ bundle, call, rank }: HeldEvent): boolean => bundle <= upTo || rank < (latest.get(call) ?? 0);
    const due = this.#held.filter(isDue);
    this.#held = this.#held.filter((held) => !isDue(held));
    return inOrder(due);
  }
}

/** Each call's events change places among themselves; those of different calls stay where they are. */
function inOrder(events: readonly HeldEvent[]): CallEvent[] {
  const ofCall = new Map<string, HeldEvent[]>();
  for (const held of events) {
    const others = ofCall.get(held.call);
    if (others === undefined) {
      ofCall.set(held.call, [held]);
    } else {
      others.push(held);
    }
  }
  const iterators = new Map<string, Iterator<HeldEvent>>();
  for (const [call, its] of ofCall) {
    iterators.set(call, its.toSorted((one, other) => one.rank - other.rank).values());
  }
  return events.flatMap(({ call }) => iterators.get(call)?.next().value?.event ?? []);
}
