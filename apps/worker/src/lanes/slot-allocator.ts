import { BucketQueue } from './bucket-queue.ts';

/** The load of a lane, as far as this worker knows. */
export interface LaneLoad {
  /** Calls that this worker has in flight. */
  readonly inFlight: number;
  /** Calls that have been requested and may still come. */
  readonly open: number;
  /** Calls that are known to wait in the queue. */
  readonly backlog: number;
  /** Most calls that this worker may have in flight for the lane. */
  readonly limit: number;
}

/**
 * How a request waits at the broker: `first` and `next` wait for a call to come, `backlog` takes what is waiting and
 * ends at once.
 */
export type RequestKind = 'first' | 'next' | 'backlog';

/** Requests calls of a lane. When this returns they are part of its `open`, unless the broker is away. */
export type RequestCalls<L> = (lane: L, count: number, kind: RequestKind) => void;

/** The slots of a lane, remembered between two runs. */
interface Allocation<L> {
  readonly lane: L;
  /** Slots that it took from the common pool at the last assessment. */
  held: number;
}

/**
 * Allocates a worker's slots to its lanes.
 *
 * - A lane with nothing in flight always has one open request, whatever the others hold: its first call starts at once
 *   and no function can starve it (P5). So a worker holds at most `slots` calls and one more for each further lane.
 * - The remaining slots go to the lanes with a backlog, always to the one that holds least, so that functions of very
 *   different speed hold equal shares.
 * - Slots that are still free let lanes without a backlog prefetch: request their next call before it exists.
 *
 * No call is requested without a slot (P4): open requests count as taken.
 *
 * Lanes report when they change, and a run assesses those and the ones that get a slot. So its cost depends on what
 * happens, not on how many functions are busy. Only a `limit` may fall unreported: it is checked again before a slot is
 * given.
 */
export class SlotAllocator<L extends LaneLoad> {
  readonly #request: RequestCalls<L>;
  readonly #allocations = new Map<L, Allocation<L>>();
  #changed = new Set<Allocation<L>>();
  /** Lanes with a backlog beyond their open requests, by what they hold. */
  readonly #wantsMore = new BucketQueue<Allocation<L>>();
  /** Busy lanes whose backlog is unknown. */
  readonly #mayPrefetch = new Set<Allocation<L>>();
  /** Negative if first calls have come while all slots were taken. */
  #free: number;

  constructor(slots: number, request: RequestCalls<L>) {
    this.#free = slots;
    this.#request = request;
  }

  /** Slots that no lane takes; negative if first calls have come while all were taken. */
  get free(): number {
    return this.#free;
  }

  add(lane: L): void {
    this.#allocations.set(lane, { lane, held: 0 });
    this.changed(lane);
  }

  /** The lane no longer takes part. */
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

  /** The lane has changed since the last run. Ignored for a lane that takes no part. */
  changed(lane: L): void {
    const allocation = this.#allocations.get(lane);
    if (allocation !== undefined) {
      this.#changed.add(allocation);
    }
  }

  /** Requests calls for the free slots. Returns the lanes that have changed or got a request. */
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
      // A single lane shares with none, so there is no need to count slots one by one.
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

/** Slots that a lane takes from the common pool: none while it only waits for a first call. */
export function held({ inFlight, open, backlog }: LaneLoad): number {
  return inFlight === 0 && backlog === 0 ? Math.max(0, open - 1) : inFlight + open;
}

function needsFirst({ inFlight, open, limit }: LaneLoad): boolean {
  return inFlight === 0 && open === 0 && limit > 0;
}

/** Waiting calls that the lane has room for and has not requested yet. */
function wanted({ inFlight, open, backlog, limit }: LaneLoad): number {
  return Math.max(0, Math.min(backlog, limit - inFlight) - open);
}

function mayPrefetch({ inFlight, open, backlog, limit }: LaneLoad): boolean {
  return inFlight > 0 && open === 0 && backlog === 0 && inFlight < limit;
}
