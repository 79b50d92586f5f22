import type { Model, Step } from './explore.ts';
import {
  initialMoments,
  lastOf,
  type MomentBounds,
  type MomentVariant,
  type MomentWorker,
  type MomentWorld,
  momentStep,
  newestOf,
  putLater,
} from './moment-world.ts';
import { at } from './world.ts';

/**
 * The moments of a schedule, two workers that deal with them, an operator who changes it, and the sweeper. The steps of the
 * workers are those of `moment-processor.ts` and `schedule-store.ts`.
 */
export function moments(bounds: MomentBounds, variant: MomentVariant = {}): Model<MomentWorld> {
  return {
    initial: initialMoments(),
    steps: (world) => [
      ...brokerSteps(world, bounds),
      ...[0, 1].flatMap((who) => workerSteps(world, who, bounds, variant)),
      ...operatorSteps(world, bounds, variant),
      ...sweeperSteps(world),
    ],
    wrong: ({ calls, offence }) =>
      Object.values(calls).some((count) => count > 1) ? 'a moment is called twice' : (offence ?? undefined),
    unfinished,
  };
}

function unfinished({ definition: { series }, calls, damaged }: MomentWorld): string | undefined {
  const last = lastOf(series);
  if (calls[last] === undefined) {
    return 'the schedule has stopped';
  }
  // The sweeper goes on with the next moment.
  return calls[last - 1] === undefined && !damaged ? 'a moment is lost' : undefined;
}

function brokerSteps(world: MomentWorld, bounds: MomentBounds): Step<MomentWorld>[] {
  const { later, due, known, workers } = world;
  const steps: Step<MomentWorld>[] = [];
  if (later !== null) {
    steps.push(
      momentStep(world, 'the moment is due', (next) => {
        next.sequence += 1;
        next.due = { ...later, sequence: next.sequence, holder: null };
        next.later = null;
      }),
    );
  }
  if (bounds.damage && !world.damaged && (later !== null || due?.holder === null)) {
    steps.push(
      momentStep(world, 'the moment gets lost', (next) => {
        Object.assign(next, { later: null, due: null, damaged: true });
      }),
    );
  }
  // A publish has a time limit: a worker stores no call long after it has looked.
  const isPassed = (moment: number): boolean =>
    (later?.at ?? due?.at ?? 0) > moment &&
    !workers.some(({ does, moment: own }) => own?.at === moment && does === 'store the call');
  for (const moment of bounds.forget ? known.filter(isPassed) : []) {
    steps.push(
      momentStep(world, `the call of moment ${moment} is forgotten`, (next) => {
        next.known = known.filter((each) => each !== moment);
      }),
    );
  }
  return steps;
}

function workerSteps(world: MomentWorld, who: number, bounds: MomentBounds, variant: MomentVariant) {
  const { due, definition } = world;
  const worker = at(world.workers, who);
  const named = (name: string, then: (next: MomentWorld, self: MomentWorker) => void): Step<MomentWorld> =>
    momentStep(world, `worker ${who} ${name}`, (next) => then(next, at(next.workers, who)));
  if (worker.does === 'nothing') {
    return due === null || due.holder !== null
      ? []
      : [
          named('gets the moment', (next, self) => {
            const { holder: _, ...moment } = due;
            next.due = { ...due, holder: who };
            const does = variant.notReadAgain ? 'store the call' : 'read';
            const { sequence: _seen, ...atReceipt } = definition;
            Object.assign(self, { does, moment, atReceipt, read: { ...definition } });
          }),
        ];
  }
  const steps = [named(`does ${worker.does}`, (next, self) => work(next, self, variant))];
  if (world.crashes < bounds.crashes) {
    steps.push(
      named('dies', (next, self) => {
        next.crashes += 1;
        release(next, who);
        Object.assign(self, { does: 'nothing', moment: null, read: null, atReceipt: null });
      }),
    );
  }
  if (world.expiries < bounds.expiries && due?.holder === who) {
    steps.push(
      named('loses its lease', (next) => {
        next.expiries += 1;
        release(next, who);
      }),
    );
  }
  return steps;
}

function release(next: MomentWorld, who: number): void {
  if (next.due?.holder === who) {
    next.due.holder = null;
  }
}

function work(next: MomentWorld, self: MomentWorker, variant: MomentVariant): void {
  const { moment, read, does } = self;
  if (moment === null || read === null) {
    return;
  }
  const basis = Math.max(read.sequence, moment.sequence);
  if (does === 'read') {
    self.read = { ...next.definition };
    const first = variant.noLook ? firstOf(variant) : 'look';
    self.does = next.definition.series === moment.series ? first : 'ack';
  } else if (does === 'look') {
    self.does = look(next, moment.sequence, basis, variant);
  } else if (does === 'store the call') {
    storeCall(next, self, variant);
    self.does = variant.ackFirst || variant.nextFirst ? 'ack' : 'store the next';
  } else if (does === 'store the next') {
    storeNext(next, self, basis, variant);
  } else {
    acknowledge(next, self, variant);
  }
  if (self.does === 'nothing') {
    Object.assign(self, { moment: null, read: null, atReceipt: null });
  }
}

function acknowledge(next: MomentWorld, self: MomentWorker, { ackFirst }: MomentVariant): void {
  const { moment, read } = self;
  if (next.due?.sequence === moment?.sequence) {
    next.due = null;
  }
  self.does = ackFirst && read?.series === moment?.series ? 'store the next' : 'nothing';
}

function firstOf({ nextFirst }: MomentVariant): MomentWorker['does'] {
  return nextFirst ? 'store the next' : 'store the call';
}

/** What is newer than the basis is a change, then it reads again; or the next moment, then this one is obsolete. */
function look(next: MomentWorld, sequence: number, basis: number, variant: MomentVariant): MomentWorker['does'] {
  const newest = newestOf(next);
  if (newest > basis && newest === next.definition.sequence) {
    return 'read';
  }
  const hasNewer = (next.later?.sequence ?? 0) > sequence || (!variant.laterAlone && next.due?.sequence !== sequence);
  return newest !== basis || hasNewer ? 'ack' : firstOf(variant);
}

function storeCall(next: MomentWorld, { moment, read, atReceipt }: MomentWorker, { underived }: MomentVariant): void {
  const momentAt = moment?.at ?? 0;
  if (underived || !next.known.includes(momentAt)) {
    next.calls[momentAt] = (next.calls[momentAt] ?? 0) + 1;
    if (moment?.series !== atReceipt?.series) {
      next.offence = 'an obsolete moment is called';
    } else if ((read?.version ?? 0) < (atReceipt?.version ?? 0)) {
      next.offence = 'what is called was changed before';
    }
    next.known = [...new Set([...next.known, momentAt])].toSorted((one, other) => one - other);
  }
}

function storeNext(next: MomentWorld, self: MomentWorker, basis: number, variant: MomentVariant): void {
  const { moment } = self;
  if (moment === null) {
    return;
  }
  const isLast = moment.at === lastOf(moment.series);
  if (!isLast && !variant.noExpectation && newestOf(next) !== basis) {
    self.does = variant.ackFirst ? 'nothing' : 'read'; // refused: decides again
    return;
  }
  if (!isLast) {
    putLater(next, moment.at + 1, moment.series);
  }
  self.does = variant.ackFirst ? 'nothing' : variant.nextFirst ? 'store the call' : 'ack';
}

function operatorSteps(world: MomentWorld, { changes, timing }: MomentBounds, { changeAlone }: MomentVariant) {
  const steps: Step<MomentWorld>[] = [];
  if (world.changes < changes) {
    steps.push(
      momentStep(world, 'the operator changes what is called', (next) => {
        next.changes += 1;
        next.sequence += 1;
        next.definition = { ...next.definition, sequence: next.sequence, version: next.definition.version + 1 };
      }),
    );
  }
  if (timing && world.definition.series === 1) {
    steps.push(
      momentStep(world, 'the operator changes the timing', (next) => {
        next.sequence += 1;
        next.definition = { ...next.definition, sequence: next.sequence, series: 2 };
        if (!changeAlone) {
          putLater(next, 11, 2);
        }
      }),
    );
  }
  return steps;
}

function sweeperSteps(world: MomentWorld): Step<MomentWorld>[] {
  const { later, due, definition, sweeper, damaged, calls } = world;
  if (sweeper !== null) {
    return [
      momentStep(world, 'the sweeper stores a moment', (next) => {
        next.sweeper = null;
        const last = lastOf(sweeper.series);
        if (newestOf(next) === sweeper.sequence) {
          putLater(next, calls[last - 1] === undefined ? last - 1 : last, sweeper.series);
        }
      }),
    ];
  }
  const isLost = damaged && later === null && due === null && calls[lastOf(definition.series)] === undefined;
  return isLost
    ? [
        momentStep(world, 'the sweeper finds no moment', (next) => {
          next.sweeper = { ...definition };
        }),
      ]
    : [];
}
