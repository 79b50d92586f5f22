import { CancellerSteps } from './canceller-steps.ts';
import type { Model, Step } from './explore.ts';
import { memorySteps } from './memory-steps.ts';
import { WorkerSteps } from './worker-steps.ts';
import { append, at, type Bounds, initialWorld, step, type Variant, type World } from './world.ts';

/**
 * One call on its way through gateway, stream, workers, schedule and outcome, and everything that can meet it: two
 * workers, a client that cancels, crashes between any two steps, leases that run out while their worker continues, and
 * confirmations that get lost. The steps are those of `call-runner.ts`, `settler.ts` and `call-store.ts`, and for the
 * canceller those of `call-canceller.ts`.
 *
 * A check for the end and the invocation that follows it are one step: if an end is recorded between the two, it is
 * recorded as the attempt begins, and no observer can tell the difference.
 */
export function leaseAndSettle(bounds: Bounds, variant: Variant = {}): Model<World> {
  const workers = new WorkerSteps(bounds, variant);
  const canceller = new CancellerSteps(bounds, variant);
  return {
    initial: initialWorld(),
    steps: (world) => [
      ...gatewaySteps(world, bounds, variant),
      ...brokerSteps(world, bounds),
      ...world.workers.flatMap((_, who) => workers.of(world, who)),
      ...canceller.of(world),
      ...memorySteps(world, bounds, variant),
    ],
    wrong: (world) => wrong(world, bounds),
    unfinished,
  };
}

function wrong(world: World, { maxRetries }: Bounds): string | undefined {
  const { offence, accepted, stored, ends, told, ended, invoked, crashes, expiries, canceller } = world;
  if (offence !== null) {
    return offence;
  }
  if (accepted && !stored) {
    return 'a 202 for a call that is not stored (P1)';
  }
  if (ends > 1) {
    return 'two ends';
  }
  if (told.some((end) => end !== ended)) {
    return 'the receiver is told of an end that is not on record';
  }
  if (invoked.length > maxRetries + 1) {
    return 'an attempt beyond the budget';
  }
  const repeated = invoked.reduce((sum, times) => sum + times - 1, 0);
  if (repeated > crashes + expiries) {
    return 'more attempts were made again than leases were lost (P3)';
  }
  return canceller.said === 'cancelled' && ended !== 'cancelled' ? 'cancelled, and ended otherwise' : undefined;
}

function unfinished({ stored, messages, ended: outcome, letter, told, canceller }: World): string | undefined {
  if (!stored) {
    return undefined;
  }
  if (outcome === null) {
    return 'a stored call without an end (P2)';
  }
  if (messages.length > 0) {
    return 'a call that has ended stays in the queue';
  }
  if (canceller.intent) {
    return 'an intent to cancel is left';
  }
  if (outcome === 'failed' && !letter) {
    return 'a failed call without a dead letter';
  }
  return outcome !== 'cancelled' && told.length === 0 ? 'no callback was sent' : undefined;
}

function gatewaySteps(world: World, bounds: Bounds, variant: Variant): Step<World>[] {
  const { gateway, crashes, lostAcks } = world;
  const steps: Step<World>[] = [];
  if (gateway === 'idle') {
    steps.push(
      step(world, 'gateway publishes', (next) => {
        next.gateway = 'sent';
        next.accepted = variant.answerBeforePubAck === true;
      }),
    );
  }
  if (gateway === 'sent') {
    steps.push(
      step(world, 'broker stores the call', (next) => {
        next.gateway = 'stored';
        next.stored = true;
        append(next, 0, false);
      }),
    );
    steps.push(
      step(world, 'the call does not get to the broker', (next) => {
        next.gateway = 'gone';
      }),
    );
  }
  if (gateway === 'stored') {
    steps.push(
      step(world, 'gateway answers 202', (next) => {
        next.gateway = 'answered';
        next.accepted = true;
      }),
    );
    if (lostAcks < bounds.lostAcks) {
      steps.push(
        step(world, 'PubAck gets lost, gateway answers 503', (next) => {
          next.gateway = 'gone';
          next.lostAcks += 1;
        }),
      );
    }
    if (crashes < bounds.crashes) {
      steps.push(
        step(world, 'gateway dies', (next) => {
          next.gateway = 'gone';
          next.crashes += 1;
        }),
      );
    }
  }
  return steps;
}

/** Schedules that are due, and leases that run out: at any time if their worker is dead, else within the bounds. */
function brokerSteps(world: World, bounds: Bounds): Step<World>[] {
  return world.messages.flatMap((message, index) => {
    const { holder, waits, sequence } = message;
    if (waits) {
      return [
        step(world, `schedule puts attempt ${message.attempt} on the queue`, (next) => {
          next.messages.splice(index, 1);
          append(next, message.attempt, false);
        }),
      ];
    }
    if (holder === null) {
      return [];
    }
    const keeper = world.workers[holder];
    const isKept = keeper !== undefined && keeper.does !== 'nothing' && keeper.sequence === sequence;
    if (isKept && world.expiries >= bounds.expiries) {
      return [];
    }
    return [
      step(world, `lease of worker ${holder} runs out`, (next) => {
        at(next.messages, index).holder = null;
        next.expiries += isKept ? 1 : 0;
        const worker = next.workers[holder];
        if (isKept && worker?.does === 'begin') {
          worker.isSure = false; // it has stood still for longer than its lease, and its clock tells it so
        }
      }),
    ];
  });
}
