import {
  type BodyBounds,
  type BodyVariant,
  type BodyWorld,
  bodyStep,
  initialBody,
  isNeeded,
  isWhole,
  mayBeLate,
  putRecord,
  type Remover,
} from './body-world.ts';
import type { Model, Step } from './explore.ts';
import { at } from './world.ts';

/**
 * One call with a large body: the gateway that accepts it, a worker, an operator who replays or drops its dead letter, a
 * canceller, and a sweeper that does not wait for anything to grow old. The steps are those of `jetstream/bodies/` and of
 * their callers. A worker or a gateway may die between any two of them.
 */
export function bodies(bounds: BodyBounds, variant: BodyVariant = {}): Model<BodyWorld> {
  return {
    initial: initialBody(),
    steps: (world) => [
      ...gatewaySteps(world, bounds, variant),
      ...lateSteps(world),
      ...workerSteps(world, bounds, variant),
      ...operatorSteps(world, bounds, variant),
      ...cancellerSteps(world, bounds, variant),
      ...[0, 1].flatMap((who) => removerSteps(world, who, variant)),
      ...sweeperSteps(world, bounds),
    ],
    wrong: (world) =>
      (world.gateway.accepted || world.cameLate) && isNeeded(world) && !(isWhole(world) && world.chunk)
        ? 'a stored call has lost its body'
        : undefined,
    unfinished: (world) => unfinished(world, variant),
  };
}

/** Everything that is left now is found by the next sweep, and nothing is in its way. */
function unfinished({ chunk, record }: BodyWorld, { straysStay }: BodyVariant): string | undefined {
  return chunk && record === null && straysStay === true ? 'space is never free again' : undefined;
}

/** Takes a mark away: two steps, between which anything may happen. */
type Keeper = Pick<BodyWorld['operator'], 'expects'> & { does: string };

function keep(next: BodyWorld, self: Keeper, done: (isThere: boolean) => void): void {
  if (self.does === 'read the record') {
    if (next.record?.state === 'condemned') {
      Object.assign(self, { does: 'take the mark away', expects: next.record.sequence });
    } else {
      done(isWhole(next));
    }
  } else if (putRecord(next, 'stored', self.expects)) {
    done(true);
  } else {
    self.does = 'read the record';
  }
}

function dies(world: BodyWorld, bounds: BodyBounds, who: 'gateway' | 'worker'): Step<BodyWorld>[] {
  return world.crashes < bounds.crashes
    ? [
        bodyStep(world, `${who} dies`, (next) => {
          next.crashes += 1;
          next[who].does = 'nothing';
        }),
      ]
    : [];
}

function gatewaySteps(world: BodyWorld, bounds: BodyBounds, variant: BodyVariant): Step<BodyWorld>[] {
  const { does } = world.gateway;
  if (does === 'nothing') {
    return [];
  }
  const steps = [bodyStep(world, `gateway does ${does}`, (next) => accept(next, variant))];
  if (does === 'store the call' && bounds.late === true && mayBeLate(world)) {
    steps.push(bodyStep(world, 'gateway gets no answer in time', (next) => giveUp(next, variant)));
  }
  return [...steps, ...dies(world, bounds, 'gateway')];
}

/** It does not know whether the call is stored, and the body is left to a sweeper. */
function giveUp(next: BodyWorld, variant: BodyVariant): void {
  next.gateway.does = 'nothing';
  next.onItsWay = true;
  if (variant.removedUncertain) {
    beginToRemove(next, false, variant);
  }
}

function lateSteps(world: BodyWorld): Step<BodyWorld>[] {
  if (!world.onItsWay) {
    return [];
  }
  return [
    bodyStep(world, 'the call arrives late', (next) =>
      Object.assign(next, { onItsWay: false, cameLate: true, queued: true }),
    ),
    bodyStep(world, 'the call does not arrive', (next) => Object.assign(next, { onItsWay: false })),
  ];
}

function accept(next: BodyWorld, { unconfirmed, finishUnexpected }: BodyVariant): void {
  const { gateway } = next;
  const end = (accepted: boolean): void => void Object.assign(gateway, { does: 'nothing', accepted });
  switch (gateway.does) {
    case 'begin':
      putRecord(next, 'uploading', 0);
      Object.assign(gateway, { does: 'store a chunk', expects: next.sequence });
      break;
    case 'store a chunk':
      next.chunk = true;
      gateway.does = 'finish';
      break;
    case 'finish':
      // Refused: a sweeper has given the upload up.
      gateway.does = putRecord(next, 'stored', finishUnexpected ? 'any' : gateway.expects)
        ? 'store the call'
        : 'nothing';
      break;
    case 'store the call':
      next.queued = true;
      if (unconfirmed) {
        end(true);
      } else {
        gateway.does = 'read the record';
      }
      break;
    case 'read the record':
    case 'take the mark away':
      keep(next, gateway, end);
      break;
    case 'nothing':
      break;
  }
}

function workerSteps(world: BodyWorld, bounds: BodyBounds, variant: BodyVariant): Step<BodyWorld>[] {
  const { worker, queued, outcome } = world;
  if (worker.does === 'nothing') {
    return queued
      ? [bodyStep(world, 'worker gets the call', (next) => Object.assign(next.worker, { does: resumeAt(outcome) }))]
      : [];
  }
  const steps =
    worker.does === 'call the function'
      ? [
          bodyStep(world, 'the function succeeds', (next) => recordEnd(next, true, variant)),
          bodyStep(world, 'the function fails', (next) => recordEnd(next, false, variant)),
        ]
      : [bodyStep(world, `worker does ${worker.does}`, (next) => complete(next, variant))];
  return [...steps, ...dies(world, bounds, 'worker')];
}

function resumeAt(outcome: BodyWorld['outcome']): BodyWorld['worker']['does'] {
  if (outcome === 'none') {
    return 'call the function';
  }
  return outcome === 'failed' ? 'store the dead letter' : 'ack';
}

function recordEnd(next: BodyWorld, succeeds: boolean, { beforeEnd }: BodyVariant): void {
  const { worker } = next;
  if (beforeEnd && succeeds && at(next.removers, 1).does === 'nothing' && next.record !== null) {
    Object.assign(at(next.removers, 1), { does: 'remove', mark: next.record.sequence });
    return;
  }
  if (next.outcome === 'none') {
    next.outcome = succeeds ? 'succeeded' : 'failed';
  }
  // A cancel may have come first.
  worker.does = resumeAt(next.outcome);
}

function complete(next: BodyWorld, variant: BodyVariant): void {
  const { worker, outcome } = next;
  if (worker.does === 'store the dead letter') {
    next.dead = true;
    worker.does = 'ack';
    return;
  }
  next.queued = false;
  worker.does = 'nothing';
  if (outcome === 'succeeded' || outcome === 'cancelled' || variant.failedToo) {
    beginToRemove(next, true, variant);
  }
}

/** The end of a first life leaves nothing that needs the body; the dead letter of a replay may still be there. */
function beginToRemove(next: BodyWorld, hasEnded: boolean, { replayedUnseen }: BodyVariant): void {
  const mark = next.record?.sequence ?? 0;
  const isCertain = hasEnded && (next.generation === 0 || replayedUnseen === true);
  Object.assign(at(next.removers, 1), { does: isCertain ? 'remove' : 'mark', mark, hasEnded });
}

function operatorSteps(world: BodyWorld, bounds: BodyBounds, variant: BodyVariant): Step<BodyWorld>[] {
  const { operator, dead } = world;
  if (operator.does !== 'nothing') {
    return operator.does === 'store the call' && world.queued
      ? [
          bodyStep(world, 'operator finds the call in its queue', (next) =>
            Object.assign(next.operator, { does: 'nothing' }),
          ),
        ]
      : [bodyStep(world, `operator does ${operator.does}`, (next) => replay(next, variant))];
  }
  if (!dead) {
    return [];
  }
  const steps = [
    bodyStep(world, 'operator drops the dead letter', (next) => {
      next.dead = false;
      beginToRemove(next, false, variant);
    }),
  ];
  if (world.replays < bounds.replays) {
    steps.push(
      bodyStep(world, 'operator replays', (next) => {
        next.replays += 1;
        next.operator.does = 'store the call';
      }),
    );
  }
  return steps;
}

function replay(next: BodyWorld, { replayUnkept }: BodyVariant): void {
  const { operator } = next;
  if (operator.does === 'store the call') {
    // The gateway has checked that the body is stored.
    if (isWhole(next)) {
      Object.assign(next, { queued: true, outcome: 'none', generation: next.generation + 1 });
      operator.does = replayUnkept ? 'remove the dead letter' : 'read the record';
    } else {
      operator.does = 'nothing';
    }
  } else if (operator.does === 'remove the dead letter') {
    next.dead = false;
    operator.does = 'nothing';
  } else {
    keep(next, operator, () => Object.assign(operator, { does: 'remove the dead letter' }));
  }
}

function cancellerSteps(world: BodyWorld, bounds: BodyBounds, variant: BodyVariant): Step<BodyWorld>[] {
  const { canceller, queued, outcome, worker } = world;
  if (canceller.does !== 'nothing') {
    return [bodyStep(world, `canceller does ${canceller.does}`, (next) => cancel(next, variant))];
  }
  return world.cancels < bounds.cancels && queued && outcome === 'none' && worker.does === 'nothing'
    ? [
        bodyStep(world, 'canceller stores an intent', (next) => {
          next.cancels += 1;
          next.intent = true;
          next.canceller.does = 'remove the message';
        }),
      ]
    : [];
}

function cancel(next: BodyWorld, { putBackUnkept, ...variant }: BodyVariant): void {
  const { canceller } = next;
  switch (canceller.does) {
    case 'remove the message':
      next.queued = false;
      canceller.does = 'record the end';
      break;
    case 'record the end':
      if (next.outcome === 'none') {
        next.outcome = 'cancelled';
      }
      canceller.does = next.outcome === 'cancelled' ? 'drop' : 'put back';
      break;
    case 'put back':
      next.queued = true;
      canceller.does = putBackUnkept ? 'drop' : 'read the record';
      break;
    case 'drop':
      next.intent = false;
      canceller.does = 'nothing';
      if (next.outcome === 'cancelled') {
        beginToRemove(next, false, variant);
      }
      break;
    case 'read the record':
    case 'take the mark away':
      keep(next, canceller, () => Object.assign(canceller, { does: 'drop' }));
      break;
    case 'nothing':
      break;
  }
}

function sweeperSteps(world: BodyWorld, { sweeps }: BodyBounds): Step<BodyWorld>[] {
  const { record, removers, chunk, onItsWay } = world;
  // What a sweeper looks at is older than a message can be under way.
  if (onItsWay || world.sweeps >= sweeps || at(removers, 0).does !== 'nothing' || (record === null && !chunk)) {
    return [];
  }
  return [
    bodyStep(world, 'sweeper begins', (next) => {
      next.sweeps += 1;
      const self = at(next.removers, 0);
      if (record === null) {
        self.does = 'purge';
      } else {
        const does = record.state === 'uploading' ? 'remove' : 'mark';
        Object.assign(self, { does, mark: record.sequence, hasEnded: false });
      }
    }),
  ];
}

function removerSteps(world: BodyWorld, who: number, variant: BodyVariant): Step<BodyWorld>[] {
  const { does } = at(world.removers, who);
  return does === 'nothing'
    ? []
    : [bodyStep(world, `remover ${who} does ${does}`, (next) => remove(next, at(next.removers, who), variant))];
}

function remove(next: BodyWorld, self: Remover, variant: BodyVariant): void {
  switch (self.does) {
    case 'mark':
      mark(next, self, variant);
      break;
    case 'remove':
      removeRecord(next, self, variant);
      break;
    case 'purge':
      // Chunks alone: there is no record, and there will be none.
      next.chunk = false;
      self.does = 'nothing';
      break;
    case 'look at the queue':
    case 'look at the intent':
    case 'look at the dead letter':
      look(next, self, variant);
      break;
    case 'nothing':
      break;
  }
}

/** By its sequence: fails if the record was replaced. */
function removeRecord(next: BodyWorld, self: Remover, { unmarked }: BodyVariant): void {
  const isThere = next.record !== null && (unmarked === true || next.record.sequence === self.mark);
  if (isThere) {
    next.record = null;
  }
  self.does = isThere ? 'purge' : 'nothing';
}

function mark(next: BodyWorld, self: Remover, variant: BodyVariant): void {
  const { record } = next;
  const isMarked = record?.state === 'condemned';
  if (!isWhole(next) || record === null) {
    self.does = 'nothing';
    return;
  }
  if (!isMarked && variant.unmarked !== true) {
    putRecord(next, 'condemned', record.sequence);
  }
  self.mark = next.record?.sequence ?? 0;
  self.does = self.hasEnded
    ? 'look at the intent'
    : variant.deadFirst
      ? 'look at the dead letter'
      : 'look at the queue';
}

/** The places in their order, and what they hold. */
function look(next: BodyWorld, self: Remover, { deadFirst, intentIgnored, unmarked }: BodyVariant): void {
  const isThere = {
    'look at the queue': next.queued,
    'look at the intent': next.intent && intentIgnored !== true,
    'look at the dead letter': next.dead,
  };
  const following = deadFirst
    ? ({
        'look at the dead letter': 'look at the intent',
        'look at the intent': 'look at the queue',
        'look at the queue': 'remove',
      } as const)
    : ({
        'look at the queue': 'look at the intent',
        'look at the intent': 'look at the dead letter',
        'look at the dead letter': 'remove',
      } as const);
  const place = self.does as keyof typeof isThere;
  if (!isThere[place]) {
    self.does = following[place];
    return;
  }
  if (unmarked !== true) {
    putRecord(next, 'stored', self.mark);
  }
  self.does = 'nothing';
}
