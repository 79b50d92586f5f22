import type { Model, Step } from './explore.ts';
import { beginToRemove, removerSteps, sweeperSteps } from './reply-removers.ts';
import {
  initialReply,
  isNeeded,
  isWhole,
  putRecord,
  type ReplyBounds,
  type ReplyVariant,
  type ReplyWorld,
  replyStep,
} from './reply-world.ts';

/**
 * One large response: the worker that stores it, another one that gets the call when the first dies, what sends the
 * callback or runs the next step, an operator who replays or drops their dead letters, a canceller, an erasure, the
 * removal of old outcomes, and a sweeper that does not wait for anything to grow old. The steps are those of
 * `jetstream/bodies/` and of its callers.
 */
export function replies(bounds: ReplyBounds, variant: ReplyVariant = {}): Model<ReplyWorld> {
  return {
    initial: initialReply(),
    steps: (world) => [
      ...workerSteps(world, bounds, variant),
      ...secondSteps(world, bounds, variant),
      ...cancellerSteps(world, bounds),
      ...senderSteps(world),
      ...stepWorkerSteps(world, variant),
      ...operatorSteps(world, bounds, variant),
      ...endSteps(world, variant),
      ...[0, 1].flatMap((who) => removerSteps(world, who, variant)),
      ...sweeperSteps(world, bounds),
    ],
    wrong: (world) => (isNeeded(world) && !(isWhole(world) && world.chunk) ? 'a response is lost' : undefined),
    // Everything that is left now is found by the next sweep, and nothing is in its way.
    unfinished: () => undefined,
  };
}

function workerSteps(world: ReplyWorld, bounds: ReplyBounds, variant: ReplyVariant): Step<ReplyWorld>[] {
  const { does } = world.worker;
  if (does === 'nothing') {
    return [];
  }
  const steps = [replyStep(world, `worker does ${does}`, (next) => attempt(next, bounds, variant))];
  if (does === 'record the end' && world.outcome === 'none') {
    steps.push(
      replyStep(world, 'worker records the end and does not find its record', (next) => {
        next.outcome = 'ours';
        next.worker.does = 'nothing';
        beginToRemove(next, variant.refusedUnseen === true);
      }),
    );
  }
  if (world.crashes < bounds.crashes) {
    steps.push(
      replyStep(world, 'worker dies', (next) => {
        next.crashes += 1;
        next.worker.does = 'nothing';
      }),
    );
  }
  return steps;
}

function attempt(next: ReplyWorld, { chain }: ReplyBounds, variant: ReplyVariant): void {
  const { worker } = next;
  switch (worker.does) {
    case 'begin':
      putRecord(next, 'uploading', 0);
      Object.assign(worker, { does: 'store a chunk', expects: next.sequence });
      break;
    case 'store a chunk':
      next.chunk = true;
      worker.does = 'finish';
      break;
    case 'finish':
      // Refused: a sweeper has given the upload up, and the attempt does not count.
      worker.does = putRecord(next, 'stored', variant.finishUnexpected ? 'any' : worker.expects)
        ? 'record the end'
        : 'nothing';
      break;
    case 'record the end':
      if (next.outcome === 'none') {
        next.outcome = 'ours';
        worker.does = chain ? 'hand over' : 'store the callback';
      } else {
        worker.does = 'nothing';
        beginToRemove(next, false);
      }
      break;
    case 'nothing':
      break;
    case 'hand over':
    case 'store the step':
    case 'store the callback':
    case 'ack':
      worker.does = follow(next, worker.does, variant);
  }
}

type FollowUp = Exclude<ReplyWorld['second'], 'nothing' | 'record the end'>;

/** What follows a recorded end. Returns what is left. */
function follow(next: ReplyWorld, does: FollowUp, variant: ReplyVariant): FollowUp | 'nothing' {
  switch (does) {
    case 'hand over':
      if (isWhole(next) && putRecord(next, 'stored', 'any') && next.record !== null) {
        next.record.handedOver = variant.notHandedOver !== true;
      }
      return 'store the step';
    case 'store the step':
      if (next.step === 'none') {
        next.step = 'queued';
      }
      return 'ack';
    case 'store the callback':
      // If another worker has already done all this, the callback is sent once more, with or without its body.
      next.callback = next.callback || next.queued;
      return 'ack';
    case 'ack':
      next.queued = false;
      return 'nothing';
  }
}

/** It has no response of its own that is modelled. The first worker may be alive, and have lost its lease. */
function secondSteps(world: ReplyWorld, bounds: ReplyBounds, variant: ReplyVariant): Step<ReplyWorld>[] {
  const { second } = world;
  if (second !== 'nothing') {
    return [replyStep(world, `second worker does ${second}`, (next) => repeat(next, variant))];
  }
  return world.queued && (world.crashes > 0 || bounds.crashes === 0) && world.worker.does !== 'begin'
    ? [
        replyStep(world, 'second worker gets the call', (next) => {
          next.second = resumeAt(next, bounds);
        }),
      ]
    : [];
}

function resumeAt({ outcome }: ReplyWorld, { chain }: ReplyBounds): ReplyWorld['second'] {
  switch (outcome) {
    case 'none':
      return 'record the end';
    case 'ours':
      return chain ? 'hand over' : 'store the callback';
    case 'other':
    case 'erased':
    case 'forgotten':
      return 'ack';
  }
}

function repeat(next: ReplyWorld, variant: ReplyVariant): void {
  const { second } = next;
  if (second === 'record the end') {
    next.outcome = next.outcome === 'none' ? 'other' : next.outcome;
    next.second = next.outcome === 'other' ? 'ack' : 'nothing';
  } else if (second === 'store the callback' && !isRepeatable(next)) {
    next.second = 'ack'; // its state says that it is taken care of
  } else if (second !== 'nothing') {
    next.second = follow(next, second, variant);
  }
}

/** A callback that has ended is not stored again: its message, or its state, says that it was stored. */
function isRepeatable({ queued, callback, letter, outcome }: ReplyWorld): boolean {
  return queued && !callback && !letter && outcome === 'ours';
}

function cancellerSteps(world: ReplyWorld, { cancels }: ReplyBounds): Step<ReplyWorld>[] {
  if (world.canceller !== 'nothing') {
    return [replyStep(world, `canceller does ${world.canceller}`, cancel)];
  }
  return world.cancels < cancels && world.queued && world.outcome === 'none'
    ? [
        replyStep(world, 'canceller stores an intent', (next) => {
          next.cancels += 1;
          next.intent = true;
          next.canceller = 'remove the message';
        }),
      ]
    : [];
}

function cancel(next: ReplyWorld): void {
  switch (next.canceller) {
    case 'remove the message':
      next.queued = false;
      next.canceller = 'record the end';
      break;
    case 'record the end':
      next.outcome = next.outcome === 'none' ? 'other' : next.outcome;
      next.canceller = next.outcome === 'other' ? 'drop' : 'put back';
      break;
    case 'put back':
      next.queued = true;
      next.canceller = 'drop';
      break;
    case 'drop':
      next.intent = false;
      next.canceller = 'nothing';
      break;
    case 'nothing':
      break;
  }
}

function senderSteps(world: ReplyWorld): Step<ReplyWorld>[] {
  switch (world.sender) {
    case 'nothing':
      return world.callback
        ? [
            replyStep(world, 'the callback is delivered', (next) => Object.assign(next, { sender: 'ack' })),
            replyStep(world, 'the callback is given up', (next) => Object.assign(next, { sender: 'store the letter' })),
          ]
        : [];
    case 'store the letter':
      return [
        replyStep(world, 'sender stores the letter', (next) => Object.assign(next, { letter: true, sender: 'ack' })),
      ];
    case 'ack':
      return [replyStep(world, 'sender acks', (next) => Object.assign(next, { callback: false, sender: 'nothing' }))];
  }
}

function stepWorkerSteps(world: ReplyWorld, { removedWithStep }: ReplyVariant): Step<ReplyWorld>[] {
  switch (world.stepWorker) {
    case 'nothing':
      return world.step === 'queued'
        ? [
            replyStep(world, 'the step succeeds', (next) => Object.assign(next, { stepWorker: 'ack' })),
            replyStep(world, 'the step fails', (next) => Object.assign(next, { stepWorker: 'store the letter' })),
          ]
        : [];
    case 'store the letter':
      return [
        replyStep(world, 'step is buried', (next) => Object.assign(next, { stepLetter: true, stepWorker: 'ack' })),
      ];
    case 'ack':
      return [
        replyStep(world, 'step is acked', (next) => {
          Object.assign(next, { step: 'ended', stepWorker: 'nothing' });
          if (removedWithStep) {
            beginToRemove(next, true);
          }
        }),
      ];
  }
}

function operatorSteps(world: ReplyWorld, { replays }: ReplyBounds, variant: ReplyVariant): Step<ReplyWorld>[] {
  const { operator } = world;
  if (operator.does !== 'nothing') {
    return [replyStep(world, `operator does ${operator.does}`, keep)];
  }
  const steps: Step<ReplyWorld>[] = [];
  for (const what of ['callback', 'step'] as const) {
    if (what === 'callback' ? world.letter : world.stepLetter) {
      steps.push(
        replyStep(world, `operator drops the letter of the ${what}`, (next) => {
          removeLetter(next, what);
          beginToRemove(next, false);
        }),
      );
    }
    const isFree = what === 'callback' ? world.letter && !world.callback : world.stepLetter && world.step === 'ended';
    if (world.replays < replays && isFree && isWhole(world) && world.eraser === 'nothing') {
      steps.push(
        replyStep(world, `operator replays the ${what}`, (next) => {
          next.replays += 1;
          Object.assign(next, what === 'callback' ? { callback: true } : { step: 'queued' });
          next.operator = { does: variant.replayUnkept ? 'remove the letter' : 'read the record', what, expects: 0 };
        }),
      );
    }
  }
  return steps;
}

function removeLetter(next: ReplyWorld, what: 'callback' | 'step'): void {
  Object.assign(next, what === 'callback' ? { letter: false } : { stepLetter: false });
}

function keep(next: ReplyWorld): void {
  const { operator } = next;
  if (operator.does === 'remove the letter') {
    removeLetter(next, operator.what);
    operator.does = 'nothing';
  } else if (operator.does === 'read the record') {
    if (next.record?.state === 'condemned') {
      Object.assign(operator, { does: 'take the mark away', expects: next.record.sequence });
    } else {
      operator.does = 'remove the letter';
    }
  } else {
    operator.does = putRecord(next, 'stored', operator.expects) ? 'remove the letter' : 'read the record';
  }
}

/**
 * An erasure, and the removal of old outcomes: both begin only when nothing of the call is under way. An operator who erases a
 * call and replays its callback at the same time may get a callback that has lost its body.
 */
function endSteps(world: ReplyWorld, { erasedUnseen }: ReplyVariant): Step<ReplyWorld>[] {
  const isOver =
    world.outcome === 'ours' && !world.queued && !world.intent && !world.callback && world.step !== 'queued';
  const steps: Step<ReplyWorld>[] = [];
  if (world.eraser === 'erase the letter') {
    steps.push(
      replyStep(world, 'eraser removes the letter', (next) =>
        Object.assign(next, { letter: false, eraser: 'erase the outcome' }),
      ),
    );
  } else if (world.eraser === 'erase the outcome') {
    steps.push(replyStep(world, 'eraser erases the outcome', (next) => end(next, 'erased', erasedUnseen === true)));
  } else if (isOver && world.operator.does === 'nothing') {
    steps.push(replyStep(world, 'eraser begins', (next) => Object.assign(next, { eraser: 'erase the letter' })));
  }
  if (isOver && world.pruner === 'nothing') {
    steps.push(
      replyStep(world, 'pruner finds an old outcome', (next) => Object.assign(next, { pruner: 'remove the outcome' })),
    );
  }
  if (world.pruner === 'remove the outcome') {
    steps.push(replyStep(world, 'pruner removes the outcome', (next) => end(next, 'forgotten', false)));
  }
  return steps;
}

function end(next: ReplyWorld, outcome: 'erased' | 'forgotten', unseen: boolean): void {
  Object.assign(next, outcome === 'erased' ? { eraser: 'nothing' } : { pruner: 'nothing' });
  if (next.outcome === 'ours') {
    next.outcome = outcome;
    beginToRemove(next, unseen);
  }
}
