import type { LaneLoad, RequestKind } from '../../src/lanes/slot-allocator.ts';

export interface PlannedRequest<L> {
  readonly lane: L;
  readonly count: number;
  readonly kind: RequestKind;
}

/**
 * The rules of `SlotAllocator` in their simplest form: it looks at every lane each time, and for every slot again.
 * Tests compare the real one with it.
 */
export function planRequests<L extends LaneLoad>(lanes: readonly L[], slots: number): PlannedRequest<L>[] {
  const requests: PlannedRequest<L>[] = [];
  let free = slots;
  for (const lane of lanes) {
    free -= held(lane);
    if (needsFirst(lane)) {
      requests.push({ lane, count: 1, kind: 'first' });
      free -= lane.backlog > 0 ? 1 : 0;
    }
  }
  free -= shareOut(lanes, free, requests);
  for (const lane of lanes) {
    if (free > 0 && lane.inFlight > 0 && lane.open === 0 && lane.backlog === 0 && lane.inFlight < lane.limit) {
      requests.push({ lane, count: 1, kind: 'next' });
      free -= 1;
    }
  }
  return requests;
}

function needsFirst({ inFlight, open, limit }: LaneLoad): boolean {
  return inFlight === 0 && open === 0 && limit > 0;
}

/** Slots that a lane takes from the common pool: none while it only waits for a first call. */
function held({ inFlight, open, backlog }: LaneLoad): number {
  return inFlight === 0 && backlog === 0 ? Math.max(0, open - 1) : inFlight + open;
}

/** Calls requested, including the first one. */
function asked(lane: LaneLoad): number {
  return lane.open + (needsFirst(lane) ? 1 : 0);
}

/** Waiting calls that the lane has room for and has not requested yet. */
function wanted(lane: LaneLoad): number {
  return Math.max(0, Math.min(lane.backlog, lane.limit - lane.inFlight) - asked(lane));
}

interface Share<L> {
  readonly lane: L;
  readonly wanted: number;
  count: number;
}

/** Water-filling: one slot after the other to the lane that holds least. Returns how many went. */
function shareOut<L extends LaneLoad>(lanes: readonly L[], free: number, requests: PlannedRequest<L>[]): number {
  const wantsMore = lanes
    .map((lane): Share<L> => ({ lane, wanted: wanted(lane), count: 0 }))
    .filter((share) => share.wanted > 0);
  let given = 0;
  if (wantsMore.length === 1 && wantsMore[0] !== undefined) {
    given = wantsMore[0].count = Math.max(0, Math.min(free, wantsMore[0].wanted));
  } else {
    for (; given < free; given++) {
      const next = neediest(wantsMore);
      if (next === undefined) {
        break;
      }
      next.count += 1;
    }
  }
  for (const { lane, count } of wantsMore) {
    if (count > 0) {
      requests.push({ lane, count, kind: 'backlog' });
    }
  }
  return given;
}

function neediest<L extends LaneLoad>(shares: readonly Share<L>[]): Share<L> | undefined {
  let best: Share<L> | undefined;
  for (const share of shares) {
    if (share.count < share.wanted && (best === undefined || load(share) < load(best))) {
      best = share;
    }
  }
  return best;
}

function load<L extends LaneLoad>({ lane, count }: Share<L>): number {
  return lane.inFlight + asked(lane) + count;
}
