import { BucketQueue } from './bucket-queue.ts';

/** How a lane stands, as far as this worker knows. */
export interface LaneLoad {
  /** Calls that this worker has in hand. */
  readonly inFlight: number;
  /** Calls that have been asked for and may still come. */
  readonly open: number;
  /** Calls that are known to wait in the queue. */
  readonly backlog: number;
  /** Most calls that this worker may have in hand for the lane. */
  readonly limit: number;
}

/**
 * How a request stands at the broker: `first` and `next` wait for a call to come, `backlog` takes what is there and
 * ends at once.
 */
export type RequestKind = 'first' | 'next' | 'backlog';

/** Asks for calls of a lane. They are part of its `open` when this returns, unless nobody can be asked. */
export type RequestCalls<L> = (lane: L, count: number, kind: RequestKind) => void;

/** What is remembered of a lane between two plans. */
interface Allocation<L> {
  readonly lane: L;
  /** Slots that it took from the common pool when it was last looked at. */
  held: number;
}

/**
 * Shares a worker's slots out to its lanes.
 *
 * - A lane with nothing in hand always has one call asked for, whatever the others hold: its first call starts at once
 *   and no function can starve it (P5). So a worker holds at most `slots` calls and one more for each further lane.
 * - What is free beyond that goes to the lanes with a backlog, always to the one that holds least, so that functions
 *   of very different speed hold equal shares.
 * - What is still free lets lanes without a backlog ask for their next call before it is there.
 *
 * Nothing is asked for that has no slot (P4): requests that are open count as taken.
 *
 * Lanes tell when they have changed, and a plan looks at those and at the ones that get a slot. So what it costs goes by
 * what happens, not by how many functions are busy. A `limit` alone may fall without a word: it is looked at again before
 * a slot is given.
 */
export class SlotAllocator<L extends LaneLoad> {
  readonly #request: RequestCalls<L>;
  readonly #allocations = new Map<L, Allocation<L>>();
  #changed = new Set<Allocation<L>>();
  /** Lanes with a backlog that nobody has asked for yet, by what they hold. */
  readonly #wantsMore = new BucketQueue<Allocation<L>>();
  /** Busy lanes of which nobody knows whether more waits. */
  readonly #mayPrefetch = new Set<Allocation<L>>();
  /** Less than none when first calls have come while all slots were taken. */
  #free: number;

  constructor(slots: number, request: RequestCalls<L>) {
    this.#free = slots;
    this.#request = request;
  }

  add(lane: L): void {
    this.#allocations.set(lane, { lane, held: 0 });
    this.changed(lane);
  }

  /** The lane takes part no longer. */
  remove(lane: L): void {
    const allocation = this.#allocations.get(lane);
    if (allocation !== undefined) {
      this.#allocations.delete(lane);
      this.#changed.delete(allocation);
      this.#wantsMore.delete(allocation);
      this.#mayPrefetch.delete(allocation);
      this.#free += allocation.held;
    }
  }

  /** The lane has changed since the last plan. Means nothing for one that takes no part. */
  changed(lane: L): void {
    const allocation = this.#allocations.get(lane);
    if (allocation !== undefined) {
      this.#changed.add(allocation);
    }
  }

  /** Asks for what there are slots for. Returns the lanes that have changed, or have been asked for. */
  run(): Set<L> {
    const seen = new Set<L>();
    const changed = this.#changed;
    this.#changed = new Set();
    for (const allocation of changed) {
      seen.add(allocation.lane);
      if (needsFirst(allocation.lane)) {
        this.#request(allocation.lane, 1, 'first');
      }
      this.#reassess(allocation);
    }
    for (const [allocation, count] of this.#shareOut()) {
      seen.add(allocation.lane);
      this.#request(allocation.lane, count, 'backlog');
      this.#reassess(allocation);
    }
    this.#prefetch(seen);
    return seen;
  }

  /** Water-filling: one slot after the other to the lane that holds least. */
  #shareOut(): Map<Allocation<L>, number> {
    const given = new Map<Allocation<L>, number>();
    const only = this.#wantsMore.only();
    if (only !== undefined) {
      // Nobody to share with, which with one busy function is always so: no need to count slots one by one.
      const count = Math.min(this.#free, wanted(only.lane));
      return count > 0 ? given.set(only, count) : given;
    }
    for (let free = this.#free; free > 0; ) {
      const next = this.#wantsMore.shift();
      if (next === undefined) {
        break;
      }
      const count = given.get(next.item) ?? 0;
      if (count < wanted(next.item.lane)) {
        given.set(next.item, count + 1);
        this.#wantsMore.put(next.item, next.bucket + 1);
        free -= 1;
      }
    }
    return given;
  }

  #prefetch(seen: Set<L>): void {
    for (const allocation of this.#mayPrefetch) {
      if (this.#free <= 0) {
        return;
      }
      if (mayPrefetch(allocation.lane)) {
        seen.add(allocation.lane);
        this.#request(allocation.lane, 1, 'next');
      }
      this.#reassess(allocation);
    }
  }

  #reassess(allocation: Allocation<L>): void {
    const { lane } = allocation;
    this.#free += allocation.held;
    allocation.held = held(lane);
    this.#free -= allocation.held;
    if (wanted(lane) > 0) {
      this.#wantsMore.put(allocation, lane.inFlight + lane.open);
    } else {
      this.#wantsMore.delete(allocation);
    }
    if (mayPrefetch(lane)) {
      this.#mayPrefetch.add(allocation);
    } else {
      this.#mayPrefetch.delete(allocation);
    }
  }
}

/** Slots that a lane takes from the common pool: none while it only waits for a first call that may never come. */
export function held({ inFlight, open, backlog }: LaneLoad): number {
  return inFlight === 0 && backlog === 0 ? Math.max(0, open - 1) : inFlight + open;
}

function needsFirst({ inFlight, open, limit }: LaneLoad): boolean {
  return inFlight === 0 && open === 0 && limit > 0;
}

/** Calls that wait for the lane, that it has room for, and that nobody has asked for yet. */
function wanted({ inFlight, open, backlog, limit }: LaneLoad): number {
  return Math.max(0, Math.min(backlog, limit - inFlight) - open);
}

function mayPrefetch({ inFlight, open, backlog, limit }: LaneLoad): boolean {
  return inFlight > 0 && open === 0 && backlog === 0 && inFlight < limit;
}
