import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type LaneLoad, type RequestKind, SlotAllocator } from './slot-allocator.ts';

interface NamedLane extends LaneLoad {
  readonly name: string;
}

function lane(name: string, load: Partial<LaneLoad> = {}): NamedLane {
  return { name, inFlight: 0, open: 0, backlog: 0, limit: Number.POSITIVE_INFINITY, ...load };
}

interface Request<L> {
  readonly lane: L;
  readonly count: number;
  readonly kind: RequestKind;
}

/** The requests when all lanes are new. */
function planRequests<L extends LaneLoad>(lanes: readonly L[], slots: number): Request<L>[] {
  const requests: Request<L>[] = [];
  const asked = new Map<L, number>();
  const slotPlan = new SlotAllocator<LaneLoad & { readonly lane: L }>(slots, ({ lane }, count, kind) => {
    requests.push({ lane, count, kind });
    asked.set(lane, (asked.get(lane) ?? 0) + count);
  });
  for (const lane of lanes) {
    slotPlan.add({
      lane,
      ...lane,
      get open() {
        return lane.open + (asked.get(lane) ?? 0);
      },
    });
  }
  slotPlan.run();
  return requests;
}

function plan(lanes: readonly NamedLane[], slots: number): string[] {
  return planRequests(lanes, slots).map((request) => `${request.lane.name}: ${request.count} ${request.kind}`);
}

test('an idle lane asks for its first call, and only once', () => {
  expect(plan([lane('a')], 10)).toEqual(['a: 1 first']);
  expect(plan([lane('a', { open: 1 })], 10)).toEqual([]);
});

test('a lane with a backlog takes all slots when it is alone', () => {
  expect(plan([lane('a', { inFlight: 1, backlog: 500 })], 100)).toEqual(['a: 99 backlog']);
  expect(plan([lane('a', { inFlight: 1, backlog: 5 })], 100)).toEqual(['a: 5 backlog']);
});

test('a lane whose calls all ended at once asks for all its slots again', () => {
  expect(plan([lane('a', { backlog: 500 })], 64)).toEqual(['a: 1 first', 'a: 63 backlog']);
});

test('an idle lane asks for its first call although another holds every slot', () => {
  expect(plan([lane('hog', { inFlight: 10, backlog: 500 }), lane('quiet')], 10)).toEqual(['quiet: 1 first']);
});

test('waiting for a first call takes no slot from the others', () => {
  expect(plan([lane('hog', { inFlight: 8, backlog: 500 }), lane('quiet', { open: 1 })], 10)).toEqual([
    'hog: 2 backlog',
  ]);
});

test('free slots go to the lane that holds least', () => {
  const lanes = [lane('slow', { inFlight: 6, backlog: 90 }), lane('fast', { inFlight: 1, backlog: 90 })];
  expect(plan(lanes, 10)).toEqual(['fast: 3 backlog']);
  expect(plan([lane('a', { inFlight: 1, backlog: 90 }), lane('b', { inFlight: 1, backlog: 90 })], 10)).toEqual([
    'a: 4 backlog',
    'b: 4 backlog',
  ]);
});

test('a lane takes no more than its own limit', () => {
  expect(plan([lane('a', { inFlight: 3, backlog: 90, limit: 5 })], 100)).toEqual(['a: 2 backlog']);
  expect(plan([lane('a', { inFlight: 5, limit: 5 })], 100)).toEqual([]);
});

test('a busy lane without a backlog keeps one request open while slots are free', () => {
  expect(plan([lane('a', { inFlight: 3 })], 10)).toEqual(['a: 1 next']);
  expect(plan([lane('a', { inFlight: 10 })], 10)).toEqual([]);
});

const load = fc.record({
  inFlight: fc.nat(30),
  open: fc.nat(30),
  backlog: fc.nat(1000),
  limit: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 30 })),
});

test('nothing is asked for without a slot, except one call for each lane that holds none', () => {
  fc.assert(
    fc.property(fc.array(load, { maxLength: 20 }), fc.integer({ min: 1, max: 100 }), (loads, slots) => {
      const requests = planRequests(loads, slots);
      const beyondFirst = requests.filter(({ kind }) => kind !== 'first').reduce((sum, { count }) => sum + count, 0);
      const taken = loads.reduce((sum, { inFlight, open }) => sum + inFlight + open, 0);
      const parked = loads.filter(({ inFlight, open, backlog }) => inFlight === 0 && backlog === 0 && open > 0).length;
      expect(beyondFirst).toBeLessThanOrEqual(Math.max(0, slots - taken + parked));
    }),
  );
});

test('no lane starves: a lane that holds no call and has asked for none asks', () => {
  fc.assert(
    fc.property(fc.array(load, { maxLength: 20 }), fc.integer({ min: 1, max: 100 }), (loads, slots) => {
      const firsts = planRequests(loads, slots).filter(({ kind }) => kind === 'first');
      expect(firsts.map((request) => request.lane)).toEqual(
        loads.filter(({ inFlight, open }) => inFlight === 0 && open === 0),
      );
    }),
  );
});

test('no slot stays free while a lane with room has a backlog', () => {
  fc.assert(
    fc.property(fc.array(load, { minLength: 1, maxLength: 20 }), fc.integer({ min: 1, max: 100 }), (loads, slots) => {
      const asked = new Map(loads.map((lane) => [lane, lane.open]));
      for (const { lane, count } of planRequests(loads, slots)) {
        asked.set(lane, (asked.get(lane) ?? 0) + count);
      }
      const taken = loads.reduce((sum, lane) => sum + lane.inFlight + (asked.get(lane) ?? 0), 0);
      const wantsMore = loads.some(
        (lane) => Math.min(lane.backlog, lane.limit - lane.inFlight) > (asked.get(lane) ?? 0),
      );
      expect(wantsMore && taken < slots).toBe(false);
    }),
  );
});
