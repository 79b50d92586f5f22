import type { Model, Step } from './explore.ts';
import { fastPathSteps, nextNumber, suspicionSteps } from './flow-fast-path.ts';
import { advanceFor, advanceStep, endOf, removeWaiting, staysAtRest } from './flow-turns.ts';
import {
  type Advance,
  type FlowBounds,
  type FlowVariant,
  type FlowWorker,
  type FlowWorld,
  flowStep,
  initialFlow,
  runningNow,
} from './flow-world.ts';
import { at } from './world.ts';

/**
 * The calls of one flow key: a gateway that accepts them and gives turns, one that accepts them on the fast path, workers that run them, a canceller, a sweeper, and
 * a limit that changes. The steps are those of `jetstream/flows` in queue-core.
 */
export function flowKeys(bounds: FlowBounds, variant: FlowVariant = {}): Model<FlowWorld> {
  return {
    initial: initialFlow(bounds),
    steps: (world) => [
      ...gatewaySteps(world, bounds, variant),
      ...fastPathSteps(world, bounds, variant),
      ...suspicionSteps(world, bounds, variant),
      ...world.workers.flatMap((_, who) => workerSteps(world, who, bounds, variant)),
      ...cancellerSteps(world, bounds, variant),
      ...operatorSteps(world, bounds, variant),
      ...otherSteps(world, bounds, variant),
    ],
    wrong: (world) => wrong(world, bounds),
    unfinished: (world) => unfinished(world, bounds),
  };
}

function wrong(world: FlowWorld, { limit, newLimit }: FlowBounds): string | undefined {
  const { offence } = world;
  if (runningNow(world).length > Math.max(limit, newLimit)) {
    return 'too many calls of the key run at once';
  }
  return Math.max(limit, newLimit) === 1 && !isInOrder(world) ? 'a call was overtaken' : (offence ?? undefined);
}

/** Calls begin in the order in which they were accepted. Nothing was promised of one that was not confirmed. */
function isInOrder({ begun, lost, rivals }: FlowWorld): boolean {
  const confirmed = begun.filter((call) => !lost.includes(call));
  const isFree = (one: number, other: number): boolean =>
    rivals.some(([first, second]) => first === one && second === other);
  return confirmed.every((call, index) =>
    confirmed.slice(0, index).every((before) => before < call || isFree(call, before)),
  );
}

function unfinished(
  { posted, fastPosted, accepted, lost, ends, waits, copies, state, notice }: FlowWorld,
  { calls, fast }: FlowBounds,
): string | undefined {
  const numbers = Array.from({ length: accepted }, (_, index) => index + 1);
  if (posted < calls || fastPosted < fast || numbers.some((call) => ends[call] === undefined && !lost.includes(call))) {
    return 'a call waits for ever';
  }
  return waits.length > 0 || copies.length > 0 || state !== null || notice > 0 ? 'something is left over' : undefined;
}

function gatewaySteps(world: FlowWorld, { calls, crashes }: FlowBounds, variant: FlowVariant): Step<FlowWorld>[] {
  const { posted, accepted, gateway } = world;
  const steps: Step<FlowWorld>[] = [];
  if (posted < calls) {
    steps.push(
      flowStep(world, `call ${accepted + 1} is accepted`, (next) => {
        next.posted += 1;
        nextNumber(next);
        next.waits.push(next.accepted);
        next.copies.push(next.accepted);
        next.notice = variant.noNotice ? 0 : next.accepted;
        next.gateway.notice = next.accepted;
      }),
    );
  }
  if (gateway.advance !== null || gateway.notice > 0) {
    steps.push(
      flowStep(world, `the gateway ${gateway.advance?.does ?? 'begins'}`, (next) => {
        const self = next.gateway;
        const advance = self.advance ?? advanceFor([], self.notice);
        self.notice = self.advance === null ? 0 : self.notice;
        self.advance = advanceStep(next, advance, variant) ? advance : null;
      }),
    );
  }
  if (world.crashes < crashes && (gateway.advance !== null || gateway.notice > 0)) {
    steps.push(
      flowStep(world, 'the gateway dies', (next) => {
        next.crashes += 1;
        next.gateway = { notice: 0, advance: null };
      }),
    );
  }
  return steps;
}

function workerSteps(world: FlowWorld, who: number, bounds: FlowBounds, variant: FlowVariant): Step<FlowWorld>[] {
  const worker = at(world.workers, who);
  const named = (name: string, then: (next: FlowWorld, self: FlowWorker) => void): Step<FlowWorld> =>
    flowStep(world, `worker ${who} ${name}`, (next) => then(next, at(next.workers, who)));
  if (worker.does === 'nothing') {
    return Object.entries(world.turns)
      .filter(([, { kind, isHeld }]) => kind === 'ready' && !isHeld)
      .map(([call]) => named(`gets call ${call}`, (next, self) => take(next, self, Number(call))));
  }
  const steps = [named(`goes on with ${worker.does}`, (next, self) => work(next, self, bounds, variant))];
  if (world.crashes < bounds.crashes) {
    steps.push(
      named('dies', (next, self) => {
        next.crashes += 1;
        const message = next.turns[self.call];
        if (message?.attempt === self.attempt) {
          message.isHeld = false;
        }
        Object.assign(self, { does: 'nothing', call: 0, attempt: 0, advance: null });
      }),
    );
  }
  return steps;
}

/** Only a repeated delivery looks for an end. */
function take(next: FlowWorld, self: FlowWorker, call: number): void {
  const message = next.turns[call];
  if (message === undefined) {
    return;
  }
  const hasEnded = next.ends[call] !== undefined;
  const looks = message.wasDelivered || message.attempt > 0;
  Object.assign(message, { isHeld: true, wasDelivered: true });
  Object.assign(self, { call, attempt: message.attempt });
  if (looks && hasEnded) {
    Object.assign(self, { does: 'advance', advance: endOf(call, message.alone) });
    return;
  }
  self.does = 'run';
  if (hasEnded) {
    next.offence = 'a call that has ended begins';
  }
  if (!looks) {
    next.begun.push(call);
  }
}

function work(next: FlowWorld, self: FlowWorker, bounds: FlowBounds, variant: FlowVariant): void {
  if (self.does === 'run') {
    endAttempt(next, self, bounds, variant);
  } else if (self.does === 'advance') {
    if (self.advance !== null && advanceStep(next, self.advance, variant)) {
      return;
    }
    self.advance = null;
    self.does = variant.ackFirst ? 'nothing' : 'ack';
  } else {
    acknowledge(next, self);
    const isDone = !variant.ackFirst;
    Object.assign(self, isDone ? { does: 'nothing' } : { does: 'advance', advance: advanceFor([self.call]) });
  }
  if (self.does === 'nothing') {
    Object.assign(self, { call: 0, attempt: 0 });
  }
}

function endAttempt(next: FlowWorld, self: FlowWorker, bounds: FlowBounds, variant: FlowVariant): void {
  const { call, attempt } = self;
  const message = next.turns[call];
  if (bounds.retry && call === 1 && attempt === 0 && next.ends[call] === undefined) {
    if (message?.attempt === 0) {
      const retry = { attempt: 1, wasDelivered: false, isHeld: false };
      next.turns[call] = { kind: 'later', ...retry, under: next.version, alone: message.alone };
    }
    const releases = variant.retryReleases === true;
    Object.assign(self, releases ? { does: 'advance', advance: advanceFor([call]) } : { does: 'nothing' });
    return;
  }
  next.ends[call] ??= 'done';
  const ending = endOf(call, message?.attempt === attempt ? message.alone : 0);
  Object.assign(self, variant.ackFirst ? { does: 'ack' } : { does: 'advance', advance: ending });
}

function acknowledge(next: FlowWorld, { call, attempt }: FlowWorker): void {
  if (next.turns[call]?.attempt === attempt) {
    delete next.turns[call];
  }
}

/** A canceller that dies is finished by another one, if its intent is stored. */
function cancellerSteps(world: FlowWorld, bounds: FlowBounds, variant: FlowVariant): Step<FlowWorld>[] {
  const { canceller } = world;
  const call = bounds.cancel;
  if (call === 0 || canceller.does === 'gone' || world.accepted < call) {
    return [];
  }
  const steps = [
    flowStep(world, `the canceller goes on with ${canceller.does}`, (next) => cancel(next, call, variant)),
  ];
  if (world.cancelCrashes < bounds.cancelCrashes && canceller.does !== 'nothing') {
    steps.push(
      flowStep(world, 'the canceller dies', (next) => {
        next.cancelCrashes += 1;
        next.canceller.does = next.canceller.intent ? 'look' : 'gone';
        next.canceller.advance = null;
      }),
    );
  }
  return steps;
}

function cancel(next: FlowWorld, call: number, variant: FlowVariant): void {
  const self = next.canceller;
  if (self.does === 'nothing') {
    self.does = 'look';
  } else if (self.does === 'look') {
    self.does = lookFor(next, call, variant);
  } else if (self.does === 'store the end') {
    next.ends[call] ??= 'cancelled';
    self.does = next.ends[call] === 'cancelled' ? 'remove' : 'gone';
  } else if (self.does === 'remove') {
    delete next.turns[call];
    removeWaiting(next, [call]);
    const rest = variant.cancelUnaborted ? advancing(call) : { does: 'abort' };
    Object.assign(self, variant.cancelKeeps ? { does: 'gone' } : rest);
  } else if (self.does === 'abort') {
    for (const worker of next.workers.filter(({ does, call: held }) => does === 'run' && held === call)) {
      Object.assign(worker, { does: 'nothing', call: 0, attempt: 0 });
    }
    Object.assign(self, advancing(call));
  } else if (self.advance !== null && !advanceStep(next, self.advance, variant)) {
    Object.assign(self, { does: 'gone', advance: null });
  }
}

function advancing(call: number): Pick<FlowWorld['canceller'], 'does' | 'advance'> {
  return { does: 'advance', advance: advanceFor([call]) };
}

/** What no worker can have seen is removed before the end is stored. */
function lookFor(next: FlowWorld, call: number, variant: FlowVariant): 'look' | 'store the end' | 'remove' | 'gone' {
  const self = next.canceller;
  const { turns, ends, copies } = next;
  if (ends[call] !== undefined) {
    return ends[call] === 'cancelled' ? 'remove' : 'gone';
  }
  const message = turns[call];
  const isKnown = self.intent || copies.includes(call) || message !== undefined;
  if (!isKnown) {
    return 'gone';
  }
  self.intent = true;
  if (message === undefined || variant.cancelBlind) {
    removeWaiting(next, [call]);
    return 'store the end';
  }
  if (!message.wasDelivered && message.kind === 'ready' && message.attempt === 0) {
    next.copies = variant.cancelKeepsWait ? copies : copies.filter((each) => each !== call);
    delete turns[call];
  }
  return 'store the end';
}

function operatorSteps(world: FlowWorld, { pause, crashes }: FlowBounds, variant: FlowVariant): Step<FlowWorld>[] {
  const { does, advance } = world.operator;
  if (!pause || does === 'gone') {
    return [];
  }
  const steps = [
    flowStep(world, `the operator goes on with ${does}`, (next) => {
      const self = next.operator;
      if (self.advance !== null && advanceStep(next, self.advance, variant)) {
        return;
      }
      const following = { nothing: 'pause', pause: 'wait', wait: 'resume', resume: 'gone', gone: 'gone' } as const;
      self.does = following[self.does];
      const control = self.does === 'pause' || self.does === 'resume' ? self.does : null;
      self.advance = control && advanceFor([], 0, control);
    }),
  ];
  if (world.crashes < crashes && advance !== null) {
    steps.push(
      flowStep(world, "the operator's gateway dies", (next) => {
        next.crashes += 1;
        // The operator sees whether the key is paused, and does not repeat what seems to be done.
        next.operator = { does: next.isPaused ? 'wait' : 'gone', advance: null };
      }),
    );
  }
  return steps;
}

function otherSteps(world: FlowWorld, { newLimit, slow }: FlowBounds, variant: FlowVariant): Step<FlowWorld>[] {
  const { notice, sweeper, limitChanged, state } = world;
  const steps: Step<FlowWorld>[] = [];
  if (state?.expires === true && (slow || isQuiet(world))) {
    steps.push(
      flowStep(world, 'the broker removes the state of a key at rest', (next) => {
        next.state = null;
      }),
    );
  }
  for (const [call, { kind }] of Object.entries(world.turns)) {
    if (kind === 'later') {
      steps.push(
        flowStep(world, `the retry of call ${call} is due`, (next) => {
          Object.assign(next.turns[Number(call)] ?? {}, { kind: 'ready' });
        }),
      );
    }
  }
  // A notice is old when the sweeper finds it: its gateway has given the turns, or has died.
  const isOld = notice > 0 && world.gateway.notice === 0 && world.gateway.advance === null;
  if (sweeper !== null || isOld) {
    steps.push(
      flowStep(world, `the sweeper ${sweeper?.does ?? 'begins'}`, (next) => {
        const self: Advance = next.sweeper ?? advanceFor([], next.notice);
        next.sweeper = advanceStep(next, self, variant) ? self : null;
      }),
    );
  }
  if (!variant.noStateSweep && isLeft(world) && isQuiet(world)) {
    steps.push(
      flowStep(world, 'the sweeper finds calls that nobody gives their turn', (next) => {
        next.sweeper = advanceFor([]);
      }),
    );
  }
  if (newLimit > 0 && !limitChanged) {
    steps.push(
      flowStep(world, 'the limit changes', (next) => {
        Object.assign(next, { limit: newLimit, limitChanged: true });
      }),
    );
  }
  return steps;
}

/** Whether the process that was to give turns has died, by the state and those that wait. */
function isLeft({ state, waits }: FlowWorld): boolean {
  return state !== null && (waits.some((call) => call <= state.cursor) || staysAtRest(state));
}

/** Whether no process is on its way to give turns. */
function isQuiet({ gateway, fast, workers, canceller, operator, sweeper }: FlowWorld): boolean {
  return [gateway, fast, ...workers, canceller, operator].every(({ advance }) => advance === null) && sweeper === null;
}
