import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LaneLoad, type RequestKind, SlotAllocator } from '../../src/lanes/slot-allocator.ts';
import { planRequests } from './plan-requests.ts';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Lane = Mutable<LaneLoad>;

/** Lanes, the plan that serves them, and how often it has looked at one. */
class Model {
  readonly lanes: Lane[] = [];
  readonly #allocator: SlotAllocator<Lane>;
  readonly #slots: number;
  #asked = { first: 0, backlog: 0, next: 0 };
  #looks = 0;
  connected = true;

  constructor(slots: number) {
    this.#slots = slots;
    this.#allocator = new SlotAllocator(slots, (lane, count, kind) => {
      this.#asked[kind] += count;
      lane.open += this.connected ? count : 0;
    });
  }

  get looks(): number {
    return this.#looks;
  }

  add(load: LaneLoad): Lane {
    const lane = this.#counted({ ...load });
    this.lanes.push(lane);
    this.#allocator.add(lane);
    return lane;
  }

  remove(index: number): void {
    for (const lane of this.lanes.splice(index % Math.max(1, this.lanes.length), 1)) {
      this.#allocator.remove(lane);
    }
  }

  change(index: number, load: Partial<LaneLoad>): void {
    const lane = this.lanes[index % Math.max(1, this.lanes.length)];
    if (lane !== undefined) {
      Object.assign(lane, load);
      this.#allocator.changed(lane);
    }
  }

  /** A limiter has taken calls on their way to the function, and tells no other part. */
  lower(index: number, limit: number): void {
    const lane = this.lanes[index % Math.max(1, this.lanes.length)];
    if (lane !== undefined) {
      lane.limit = Math.min(lane.limit, limit);
    }
  }

  run(): void {
    this.#allocator.run();
  }

  /** Runs the plan, and returns its requests and the state of the lanes, beside those of the simple plan. */
  compare(): { readonly fast: Result; readonly simple: Result } {
    const before = this.lanes.map((lane) => ({ ...lane }));
    const simple = toResult(before, planRequests(before, this.#slots));
    this.#asked = { first: 0, backlog: 0, next: 0 };
    this.#allocator.run();
    return { fast: { asked: this.#asked, held: heldBy(this.lanes) }, simple };
  }

  #counted(lane: Lane): Lane {
    return new Proxy(lane, {
      get: (target, key, receiver) => {
        this.#looks += 1;
        return Reflect.get(target, key, receiver);
      },
    });
  }
}

interface Result {
  readonly asked: Record<RequestKind, number>;
  /** In-flight and requested calls of each lane with a backlog, the fewest first. The order of equals is left open. */
  readonly held: number[];
}

function toResult(lanes: Lane[], requests: ReturnType<typeof planRequests<Lane>>): Result {
  const asked = { first: 0, backlog: 0, next: 0 };
  for (const { lane, count, kind } of requests) {
    asked[kind] += count;
    lane.open += count;
  }
  return { asked, held: heldBy(lanes) };
}

function heldBy(lanes: readonly Lane[]): number[] {
  const wantsMore = lanes.filter(({ backlog }) => backlog > 0);
  return wantsMore.map(({ inFlight, open }) => inFlight + open).sort((a, b) => a - b);
}

const limit = fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 30 }));
const load = fc.record({
  inFlight: fc.nat(12),
  open: fc.nat(6),
  backlog: fc.oneof(fc.constant(0), fc.nat(40)),
  limit,
});
const step = fc.oneof(
  fc.record({ kind: fc.constant('add' as const), load }),
  fc.record({ kind: fc.constant('change' as const), index: fc.nat(30), load }),
  fc.record({ kind: fc.constant('change' as const), index: fc.nat(30), load: fc.record({ open: fc.constant(0) }) }),
  fc.record({ kind: fc.constant('lower' as const), index: fc.nat(30), limit: fc.nat(30) }),
  fc.record({ kind: fc.constant('remove' as const), index: fc.nat(30) }),
);

function take(model: Model, of: typeof step extends fc.Arbitrary<infer S> ? S : never): void {
  switch (of.kind) {
    case 'add':
      model.add(of.load);
      return;
    case 'change':
      model.change(of.index, of.load);
      return;
    case 'lower':
      model.lower(of.index, of.limit);
      return;
    case 'remove':
      model.remove(of.index);
  }
}

test('asks for as much as a plan that looks at every lane each time, and leaves the lanes with the same shares', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(step, { maxLength: 6 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 1, max: 60 }),
      (turns, slots) => {
        const model = new Model(slots);
        for (const steps of turns) {
          for (const each of steps) {
            take(model, each);
          }
          const { fast, simple } = model.compare();
          expect(fast).toEqual(simple);
        }
      },
    ),
    { numRuns: 2_000 },
  );
});

test('asks for nothing twice while no lane can be asked, and for everything once one can', () => {
  const model = new Model(10);
  model.add({ inFlight: 1, open: 0, backlog: 50, limit: Number.POSITIVE_INFINITY });
  model.add({ inFlight: 0, open: 0, backlog: 0, limit: Number.POSITIVE_INFINITY });
  model.connected = false;
  model.run();
  model.connected = true;
  model.change(0, {});
  model.change(1, {});
  model.run();
  expect(model.lanes.map(({ open }) => open)).toEqual([9, 1]);
});

describe('the cost of a plan', () => {
  /** How often a lane is looked at when one call ends and the next one comes. */
  function looksPerCall(lanes: number, load: LaneLoad, slots = 100): number {
    const model = new Model(slots);
    for (let index = 0; index < lanes; index++) {
      model.add(load);
    }
    model.run();
    const before = model.looks;
    for (let call = 0; call < 100; call++) {
      model.change(call, { inFlight: load.inFlight - 1 });
      model.run();
      model.change(call, { inFlight: load.inFlight, open: 0 });
      model.run();
    }
    return (model.looks - before) / 100;
  }

  test.each([
    ['with backlogs that wait for a slot', { backlog: 1_000, limit: 50 }, 100],
    ['without a backlog, all slots taken', { backlog: 0, limit: 50 }, 100],
    ['at their own limits, with slots to spare', { backlog: 1_000, limit: 1 }, 5_000],
    ['at their own limits, nothing known to wait, with slots to spare', { backlog: 0, limit: 1 }, 5_000],
  ])('is as much for a thousand busy lanes as for ten: %s', (_, { backlog, limit }, slots) => {
    const load = { inFlight: 1, open: 0, backlog, limit };
    const few = looksPerCall(10, load, slots);
    expect(looksPerCall(1_000, load, slots)).toBeLessThan(2 * few + 20);
  });
});
