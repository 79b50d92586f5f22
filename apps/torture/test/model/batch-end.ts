import {
  type BatchCall,
  type BatchWorker,
  type BatchWorld,
  type Bounds,
  change,
  changeCall,
  initialBatch,
  mark,
  type Variant,
} from './batch-world.ts';
import type { Model, Step } from './explore.ts';

/**
 * A batch of two calls: the gateway that accepts it, two workers that run its calls and count its ends, a client that
 * cancels calls, outcomes that the broker does not store, PubAcks that are lost, crashes between any two steps, and
 * leases that run out. The steps are those of ADR 51; the other model covers what happens inside of a call.
 */
export function batchEnd(bounds: Bounds, variant: Variant = {}): Model<BatchWorld> {
  return {
    initial: initialBatch(),
    steps: (world) => [
      ...gatewaySteps(world, bounds, variant),
      ...world.workers.flatMap((_, who) => workerSteps(world, who, bounds, variant)),
      ...clientSteps(world, bounds, variant),
      ...brokerSteps(world, bounds),
    ],
    wrong,
    unfinished,
  };
}

function wrong({ offence, ends, callbacks }: BatchWorld): string | undefined {
  if (offence !== null) {
    return offence;
  }
  return ends > 1 || callbacks > 1 ? 'a batch ends twice' : undefined;
}

function unfinished({ calls, total, ends, callbacks }: BatchWorld): string | undefined {
  if (calls.some(({ place, end }) => place === 'queued' && end === null)) {
    return 'a stored call without an end (P2)';
  }
  if (total !== null && ends === 0) {
    return 'a batch without an end';
  }
  return ends > callbacks ? 'a batch ends without a callback' : undefined;
}

function gatewaySteps(world: BatchWorld, bounds: Bounds, variant: Variant): Step<BatchWorld>[] {
  if (world.gateway === 'done' || world.gateway === 'dead') {
    return [];
  }
  const at = world.calls.findIndex(({ accepted }) => accepted === null);
  const steps = at < 0 ? [sealing(world)] : acceptSteps(world, at, bounds, variant);
  if (world.crashes < bounds.crashes) {
    steps.push(
      change(world, 'gateway dies', (next) => Object.assign(next, { gateway: 'dead', crashes: next.crashes + 1 })),
    );
  }
  return steps;
}

function acceptSteps(world: BatchWorld, at: number, { undecided }: Bounds, variant: Variant): Step<BatchWorld>[] {
  const place = world.calls[at]?.place;
  if (place === 'none') {
    const stored = changeCall(world, at, 'gateway stores call', (call) => {
      Object.assign(call, { place: 'queued', accepted: true });
    });
    const sent = changeCall(world, at, 'gateway sends call', (call) => Object.assign(call, { place: 'under way' }));
    return undecided ? [stored, sent] : [stored];
  }
  return [
    changeCall(world, at, 'gateway does not know whether the broker has call', (call) => {
      call.accepted = call.end !== null;
      if (call.end === null && !variant.refuseUnblocked) {
        call.end = 'cancelled'; // its outcome, without a mark
      }
    }),
  ];
}

function sealing(world: BatchWorld): Step<BatchWorld> {
  return change(world, 'gateway seals the batch', (next) => {
    next.gateway = 'done';
    const total = next.calls.filter(({ accepted }) => accepted).length;
    if (total > 0) {
      next.total = total;
      next.notices[next.calls.length] = { isThere: true, holder: null };
    }
  });
}

type Named = (name: string, then: (next: BatchWorld, self: BatchWorker) => void) => Step<BatchWorld>;

function workerSteps(world: BatchWorld, who: number, bounds: Bounds, variant: Variant): Step<BatchWorld>[] {
  const worker = world.workers[who];
  if (worker === undefined) {
    return [];
  }
  const named: Named = (name, then) =>
    change(world, `worker ${who} ${name}`, (next) => {
      const self = next.workers[who];
      if (self !== undefined) {
        then(next, self);
      }
    });
  if (worker.does === 'nothing') {
    return [...takeCalls(world, who, named), ...takeNotices(world, who, variant, named)];
  }
  const steps = isOfCall(worker)
    ? callSteps(world, worker, bounds, variant, named)
    : noticeSteps(world, worker, variant, named);
  if (world.crashes < bounds.crashes) {
    steps.push(
      named('dies', (next, self) => {
        next.crashes += 1;
        self.does = 'nothing';
      }),
    );
  }
  return steps;
}

function isOfCall({ does }: BatchWorker): boolean {
  return does === 'record the end' || does === 'store the mark' || does === 'acknowledge';
}

function takeCalls({ calls }: BatchWorld, who: number, named: Named): Step<BatchWorld>[] {
  return calls.flatMap(({ place, holder, end }, at) =>
    place === 'queued' && holder === null
      ? [
          named(`takes call ${at}`, (next, self) => {
            Object.assign(next.calls[at] ?? {}, { holder: who });
            Object.assign(self, { does: end === null ? 'record the end' : 'acknowledge', at });
          }),
        ]
      : [],
  );
}

function takeNotices(world: BatchWorld, who: number, variant: Variant, named: Named): Step<BatchWorld>[] {
  return world.notices.flatMap(({ isThere, holder }, at) =>
    isThere && holder === null && !(at === world.calls.length && isIdle(world, variant))
      ? [
          named(`takes notice ${at}`, (next, self) => {
            Object.assign(next.notices[at] ?? {}, { holder: who });
            Object.assign(self, { does: next.ends > 0 ? 'call back' : 'count', at });
          }),
        ]
      : [],
  );
}

/**
 * Whether another round of the seal would find nothing to do: then it is no step, so that the model sees a batch at
 * rest.
 */
function isIdle({ waits, calls, total, ends }: BatchWorld, variant: Variant): boolean {
  return waits && ends === 0 && marksOf(calls) < (total ?? 0) && !calls.some((call) => isUnmarked(call, variant));
}

function marksOf(calls: readonly BatchCall[]): number {
  return calls.reduce((sum, { marks }) => sum + marks, 0);
}

/** An accepted call that has left its queue without a mark. */
function isUnmarked({ place, end, accepted, marks }: BatchCall, { forgetUnmarked }: Variant): boolean {
  return place === 'gone' && accepted === true && marks === 0 && !(forgetUnmarked && end !== null);
}

function callSteps(world: BatchWorld, worker: BatchWorker, bounds: Bounds, variant: Variant, named: Named) {
  const { at } = worker;
  if (worker.does === 'store the mark') {
    return [
      named(`stores the mark of call ${at}`, (next, self) => {
        mark(next, at, variant);
        self.does = 'record the end';
      }),
    ];
  }
  if (worker.does === 'acknowledge') {
    return [
      named(`acknowledges call ${at}`, (next, self) => {
        Object.assign(next.calls[at] ?? {}, { place: 'gone', holder: null });
        self.does = 'nothing';
      }),
    ];
  }
  return recordSteps(world, at, bounds, variant, named);
}

function recordSteps(
  world: BatchWorld,
  at: number,
  bounds: Bounds,
  variant: Variant,
  named: Named,
): Step<BatchWorld>[] {
  if (variant.markFirst && world.calls[at]?.marks === 0) {
    return [named(`is about to end call ${at}`, (_, self) => Object.assign(self, { does: 'store the mark' }))];
  }
  const steps = [
    named(`records the end of call ${at}`, (next, self) => {
      recordEnd(next, at, 'succeeded', variant);
      self.does = 'acknowledge';
    }),
  ];
  if (bounds.older && world.calls[at]?.end === null) {
    steps.push(
      named(`records the end of call ${at} without a mark`, (next, self) => {
        Object.assign(next.calls[at] ?? {}, { end: 'succeeded' });
        self.does = 'acknowledge';
      }),
    );
  }
  if (world.losses < bounds.losses) {
    steps.push(
      named(`cannot record the end of call ${at}`, (next, self) => {
        next.losses += 1;
        self.does = 'acknowledge';
      }),
    );
  }
  return steps;
}

/** An outcome and its mark are stored together, only if no outcome exists. */
function recordEnd(next: BatchWorld, at: number, end: 'succeeded' | 'cancelled', variant: Variant): void {
  const call = next.calls[at];
  if (call === undefined) {
    return;
  }
  if (call.end === null) {
    call.end = end;
    if (!variant.markFirst) {
      mark(next, at, variant);
    }
  } else if (variant.countAttempts) {
    mark(next, at, variant);
  }
}

function noticeSteps(world: BatchWorld, { does, at }: BatchWorker, variant: Variant, named: Named): Step<BatchWorld>[] {
  const seal = world.calls.length;
  if (does === 'count') {
    return [named('counts the ends', (next, self) => count(next, self, variant))];
  }
  if (does === 'end') {
    return [
      named('stores the end of the batch', (next, self) => {
        if (next.ends === 0) {
          storeEnd(next);
        }
        self.does = variant.dropFirst ? 'drop' : 'call back';
      }),
    ];
  }
  if (does === 'call back') {
    return [
      named('stores the callback', (next, self) => {
        next.callbacks = 1; // stored only if none exists
        self.does = variant.dropFirst ? 'nothing' : 'drop';
      }),
    ];
  }
  return [
    named(`acknowledges notice ${at}`, (next, self) => {
      const isSealOfOpen = at === seal && next.ends === 0 && !variant.dropSeal;
      next.waits ||= isSealOfOpen;
      next.notices[at] = { isThere: isSealOfOpen, holder: null };
      self.does = variant.dropFirst && next.ends > 0 && next.callbacks === 0 ? 'call back' : 'nothing';
    }),
  ];
}

function count(next: BatchWorld, self: BatchWorker, variant: Variant): void {
  const { calls, total } = next;
  const stored = calls.filter(({ place }) => place !== 'none').length;
  const wanted = variant.endUnsealed ? (total ?? stored) : total;
  if (self.at === calls.length) {
    restoreLost(next, variant);
  }
  self.does = wanted !== null && marksOf(calls) >= wanted ? 'end' : 'drop';
}

/** A round of the seal: a call that has left its queue without a mark gets one, and an outcome if it has none. */
function restoreLost(next: BatchWorld, variant: Variant): void {
  for (const [at, call] of next.calls.entries()) {
    if (isUnmarked(call, variant)) {
      call.end ??= 'cancelled';
      mark(next, at, variant);
    }
  }
}

function storeEnd(next: BatchWorld): void {
  next.ends += 1;
  const open = next.calls.some(({ accepted, end, place }) => accepted !== false && place !== 'none' && end === null);
  if (open) {
    next.offence = 'a batch ends before its last call';
  } else if (next.total === null) {
    next.offence = 'a batch ends while it is being accepted';
  }
}

function clientSteps(world: BatchWorld, bounds: Bounds, variant: Variant): Step<BatchWorld>[] {
  if (world.cancels >= bounds.cancels) {
    return [];
  }
  return world.calls.flatMap(({ place, end }, at) =>
    place === 'queued' && end === null
      ? [
          changeCall(world, at, 'client cancels call', (call, next) => {
            next.cancels += 1;
            recordEnd(next, at, 'cancelled', variant);
            Object.assign(call, { place: 'gone', holder: null });
          }),
        ]
      : [],
  );
}

function brokerSteps(world: BatchWorld, bounds: Bounds): Step<BatchWorld>[] {
  const arrivals = world.calls.flatMap(({ place }, at) =>
    place === 'under way'
      ? [changeCall(world, at, 'broker stores call', (call) => Object.assign(call, { place: 'queued' }))]
      : [],
  );
  return [...arrivals, ...leases(world, 'calls', bounds), ...leases(world, 'notices', bounds)];
}

/** Leases of dead workers run out, and some of others. */
function leases(world: BatchWorld, of: 'calls' | 'notices', bounds: Bounds): Step<BatchWorld>[] {
  return world[of].flatMap(({ holder }, at): Step<BatchWorld>[] => {
    const keeper = holder === null ? undefined : world.workers[holder];
    if (keeper === undefined) {
      return [];
    }
    const isKept = keeper.does !== 'nothing' && keeper.at === at && isOfCall(keeper) === (of === 'calls');
    if (isKept && world.expiries >= bounds.expiries) {
      return [];
    }
    return [
      change(world, `lease of ${of} ${at} runs out`, (next) => {
        Object.assign(next[of][at] ?? {}, { holder: null });
        next.expiries += isKept ? 1 : 0;
      }),
    ];
  });
}
