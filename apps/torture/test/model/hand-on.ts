import {
  type Bounds,
  type ChainWorker,
  type ChainWorld,
  change,
  type End,
  initialChain,
  letGo,
  type Variant,
} from './chain-world.ts';
import type { Model, Step } from './explore.ts';

/**
 * A call of a chain and the one that follows it: two workers that run both, a client that cancels the first, a replay
 * of a first call that has failed, a queue that is full for a while, crashes between any two steps, and leases that run
 * out while their worker continues. The steps are those of `settler.ts`, `hand-on.ts`, `step-queue.ts` and
 * `chain-canceller.ts`; the other model covers what happens inside of a call.
 */
export function handOn(bounds: Bounds, variant: Variant = {}): Model<ChainWorld> {
  return {
    initial: { ...initialChain(), said: bounds.cancel ? 'nothing' : 'unasked' },
    steps: (world) => [
      ...world.workers.flatMap((_, who) => workerSteps(world, who, bounds, variant)),
      ...cancellerSteps(world, bounds, variant),
      ...brokerSteps(world, bounds),
    ],
    wrong,
    unfinished,
  };
}

function wrong({ offence, accepted, childEnds, said, childEnd, parentEnd }: ChainWorld): string | undefined {
  if (offence !== null) {
    return offence;
  }
  if (accepted > 1) {
    return 'a step is accepted twice';
  }
  if (childEnds > 1) {
    return 'two ends of a step';
  }
  const isCancelled = parentEnd === 'cancelled' || childEnd === 'cancelled';
  return said === 'cancelled' && !isCancelled ? 'the chain is cancelled, and goes on' : undefined;
}

function unfinished({ parent, parked, parentEnd, childEnd, said }: ChainWorld): string | undefined {
  if (parentEnd === null) {
    return 'a stored call without an end (P2)';
  }
  if (parent.isThere || parked.isThere) {
    return 'something waits for ever';
  }
  if (parentEnd === 'succeeded' && childEnd === null) {
    return 'a step is lost (P2)';
  }
  return said === 'nothing' ? 'the client that cancels has no answer' : undefined;
}

function workerSteps(world: ChainWorld, who: number, bounds: Bounds, variant: Variant): Step<ChainWorld>[] {
  const worker = world.workers[who];
  if (worker === undefined) {
    return [];
  }
  const named = (name: string, then: (next: ChainWorld, self: ChainWorker) => void): Step<ChainWorld> =>
    change(world, `worker ${who} ${name}`, (next) => {
      const self = next.workers[who];
      if (self !== undefined) {
        then(next, self);
      }
    });
  if (worker.does === 'nothing') {
    return takeSteps(world, who, named);
  }
  const steps = workSteps(world, worker, variant, named);
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

type Named = (name: string, then: (next: ChainWorld, self: ChainWorker) => void) => Step<ChainWorld>;

function takeSteps({ parent, parked, child }: ChainWorld, who: number, named: Named): Step<ChainWorld>[] {
  const steps: Step<ChainWorld>[] = [];
  if (parent.isThere && parent.holder === null) {
    steps.push(
      named('takes the first call', (next, self) => {
        next.parent.holder = who;
        const afterEnd = next.parentEnd === 'succeeded' ? 'hand on' : 'acknowledge';
        const does = next.parentEnd === null ? 'invoke the first' : afterEnd;
        Object.assign(self, { does, from: 'parent', isOfReplay: next.wasReplayed });
      }),
    );
  }
  if (parked.isThere && parked.holder === null) {
    steps.push(
      named('takes the step that waits', (next, self) => {
        next.parked.holder = who;
        Object.assign(self, { does: 'hand on', from: 'parked' });
      }),
    );
  }
  if (child.isThere && child.holder === null) {
    steps.push(
      named('takes the second call', (next, self) => {
        next.child.holder = who;
        const isFirst = !next.child.wasTaken;
        next.child.wasTaken = true;
        if (!isFirst && next.childEnd !== null) {
          Object.assign(self, { does: 'acknowledge', from: 'child' });
          return;
        }
        if (next.childEnd !== null) {
          next.offence = 'a step is invoked although it has ended';
        }
        Object.assign(self, { does: 'end the second', from: 'child' });
      }),
    );
  }
  return steps;
}

function workSteps(world: ChainWorld, worker: ChainWorker, variant: Variant, named: Named): Step<ChainWorld>[] {
  switch (worker.does) {
    case 'invoke the first': {
      const after = variant.handOnFirst ? 'hand on' : 'record the end';
      const steps = [
        named('has a success of the first', (_, self) => Object.assign(self, { does: after, answer: 'succeeded' })),
      ];
      if (!world.wasReplayed) {
        steps.push(
          named('has a failure of the first', (_, self) =>
            Object.assign(self, { does: 'record the end', answer: 'failed' }),
          ),
        );
      }
      return steps;
    }
    case 'record the end':
      return [named('records the end of the first', (next, self) => recordEnd(next, self, variant))];
    case 'hand on':
      return handOnSteps(world, variant, named);
    case 'end the refused':
      return [
        named('records that the step was cancelled', (next, self) => {
          endChild(next, 'cancelled');
          self.does = 'acknowledge';
        }),
      ];
    case 'park':
      return [
        named('stores the step for later', (next, self) => {
          next.parked = { isThere: true, holder: null };
          self.does = 'acknowledge';
        }),
      ];
    case 'end the second':
      return [
        named('records the end of the second', (next, self) => {
          if (next.childEnd === null) {
            endChild(next, 'succeeded');
          }
          self.does = 'acknowledge';
        }),
      ];
    case 'acknowledge':
      return [
        named(`acknowledges the ${worker.from}`, (next, self) => {
          if (self.from !== 'parent' || self.isOfReplay === next.wasReplayed) {
            letGo(next, self.from);
          }
          self.does = 'nothing';
          if (variant.ackFirst && self.from === 'parent' && next.parentEnd === 'succeeded') {
            Object.assign(self, { does: 'hand on', from: 'none' });
          }
        }),
      ];
    case 'nothing':
      return [];
  }
}

function recordEnd(next: ChainWorld, self: ChainWorker, { ackFirst, handOnFirst }: Variant): void {
  if (next.parentEnd !== null || self.isOfReplay !== next.wasReplayed) {
    self.does = 'nothing'; // the process that recorded the end completes it
    return;
  }
  next.parentEnd = self.answer;
  self.does = self.answer === 'succeeded' && !ackFirst && !handOnFirst ? 'hand on' : 'acknowledge';
}

function handOnSteps({ key, queue }: ChainWorld, variant: Variant, named: Named): Step<ChainWorld>[] {
  const { underived, handOnFirst, forgetRefused } = variant;
  const done = (self: ChainWorker): void => {
    self.does = handOnFirst && self.from === 'parent' ? 'record the end' : 'acknowledge';
  };
  if (queue === 'full') {
    return [
      named('finds the queue full', (_, self) => {
        self.does = self.from === 'parked' ? 'nothing' : 'park';
      }),
    ];
  }
  return [
    named('hands on', (next, self) => {
      if (key === null || underived) {
        next.key = 'stored';
        next.accepted += 1;
        next.child = { isThere: true, holder: null, wasTaken: false };
        if (next.parentEnd !== 'succeeded') {
          next.offence = 'a step of a call that has not succeeded';
        }
        done(self);
      } else if (key === 'refused' && !forgetRefused) {
        self.does = 'end the refused';
      } else {
        done(self);
      }
    }),
  ];
}

function cancellerSteps(world: ChainWorld, bounds: Bounds, variant: Variant): Step<ChainWorld>[] {
  const { canceller, childEnd, key, child } = world;
  if (world.said === 'unasked' || canceller === 'done') {
    return [];
  }
  const isOnItsWay = key === 'stored' && !child.isThere && childEnd === null;
  const steps = isOnItsWay ? [] : [change(world, 'gateway cancels', (next) => cancel(next, variant))];
  if (world.crashes < bounds.crashes) {
    steps.push(
      change(world, 'gateway dies', (next) => {
        next.crashes += 1;
        Object.assign(next, { canceller: 'done', said: 'unheard' });
      }),
    );
  }
  return steps;
}

function cancel(next: ChainWorld, { cancelUnrefused }: Variant): void {
  const { canceller, parentEnd, childEnd, child } = next;
  if (parentEnd === null) {
    next.parentEnd = 'cancelled';
    letGo(next, 'parent');
    Object.assign(next, { canceller: 'done', said: 'cancelled' });
  } else if (canceller === 'look' && (parentEnd !== 'succeeded' || childEnd !== null)) {
    Object.assign(next, { canceller: 'done', said: 'ended' });
  } else if (canceller === 'record' || child.isThere || cancelUnrefused) {
    endChild(next, 'cancelled');
    letGo(next, 'child');
    Object.assign(next, { canceller: 'done', said: 'cancelled' });
  } else {
    Object.assign(next, { key: 'refused', canceller: 'record' });
  }
}

function brokerSteps(world: ChainWorld, bounds: Bounds): Step<ChainWorld>[] {
  const steps = (['parent', 'parked', 'child'] as const).flatMap((place): Step<ChainWorld>[] => {
    const { holder, isThere } = world[place];
    if (holder === null || !isThere) {
      return [];
    }
    const keeper = world.workers[holder];
    const isKept = keeper !== undefined && keeper.does !== 'nothing' && keeper.from === place;
    if (isKept && world.expiries >= bounds.expiries) {
      return [];
    }
    return [
      change(world, `lease of the ${place} runs out`, (next) => {
        next[place].holder = null;
        next.expiries += isKept ? 1 : 0;
      }),
    ];
  });
  if (world.queue === 'full') {
    steps.push(change(world, 'the queue has room again', (next) => Object.assign(next, { queue: 'open' })));
  }
  if (bounds.full && world.queue === 'new') {
    steps.push(change(world, 'the queue is full', (next) => Object.assign(next, { queue: 'full' })));
  }
  const isAtRest = !world.parent.isThere && world.parentEnd === 'failed' && !world.wasReplayed;
  if (isAtRest) {
    steps.push(
      change(world, 'an operator replays the first', (next) => {
        next.wasReplayed = true;
        next.parentEnd = null;
        next.parent = { isThere: true, holder: null };
      }),
    );
  }
  return steps;
}

/** An end is recorded only if none exists. */
function endChild(next: ChainWorld, end: End): void {
  if (next.childEnd === null) {
    next.childEnd = end;
    next.childEnds += 1;
  }
}
