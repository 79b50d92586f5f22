import { copyOf, type Step } from './explore.ts';
import { advanceFor, advanceStep } from './flow-turns.ts';
import { type FlowBounds, type FlowVariant, type FlowWorld, flowStep, noFastPath } from './flow-world.ts';

/**
 * A gateway that accepts a call of an idle key with two messages, one after the other: the state that names the call, if it is the one
 * that was read, and the ready copy, if the state is still the one that was stored. See `FastPath` in queue-core.
 */
export function fastPathSteps(
  world: FlowWorld,
  { crashes, fast: calls }: FlowBounds,
  variant: FlowVariant,
): Step<FlowWorld>[] {
  const { fast, sent } = world;
  const steps: Step<FlowWorld>[] = [];
  if (fast.does === 'nothing' ? world.fastPosted < calls : fast.does !== 'wait') {
    steps.push(flowStep(world, `the fast path: ${fast.does}`, (next) => goOn(next, variant)));
  }
  if (sent !== null) {
    steps.push(flowStep(world, `the ready copy of call ${sent.call} arrives`, (next) => arrive(next, sent, variant)));
  }
  if (fast.does !== 'nothing' && world.crashes < crashes) {
    // What it has sent may still arrive. A time limit is the same: the client is told that the call may not be stored.
    for (const isSent of fast.does === 'wait' ? [true, false] : [true]) {
      steps.push(
        flowStep(
          world,
          `the gateway of the fast path dies${isSent ? '' : ' before it has sent the ready copy'}`,
          (next) => {
            next.crashes += 1;
            next.sent = isSent ? next.sent : null;
            lose(next);
            next.fast = noFastPath();
          },
        ),
      );
    }
  }
  return steps;
}

function goOn(next: FlowWorld, variant: FlowVariant): void {
  const self = next.fast;
  switch (self.does) {
    case 'nothing':
      next.fastPosted += 1;
      self.call = nextNumber(next);
      read(next, variant);
      return;
    case 'read on':
      read(next, variant);
      return;
    case 'write':
      write(next, variant);
      return;
    case 'give the turn back':
      if (self.advance !== null && !advanceStep(next, self.advance, variant)) {
        goTheLongWay(next, variant);
      }
      return;
    case 'wait':
  }
}

/** The state and those that wait, in either order. */
function read(next: FlowWorld, variant: FlowVariant): void {
  const self = next.fast;
  const isFirst = self.does === 'nothing';
  if (isFirst === (variant.waitsFirst === true)) {
    self.waits = variant.fastBlind ? [] : [...next.waits];
  } else {
    self.seen = copyOf(next.state);
  }
  if (isFirst) {
    self.does = 'read on';
    return;
  }
  const { seen, waits } = self;
  const isIdle = waits.length === 0 && seen?.paused !== true && (seen?.running.length ?? 0) < next.limit;
  self.waits = [];
  if (isIdle) {
    self.does = 'write';
  } else {
    goTheLongWay(next, variant);
  }
}

function write(next: FlowWorld, variant: FlowVariant): void {
  const self = next.fast;
  const { seen, call } = self;
  if (!variant.fastBlindState && next.state?.version !== seen?.version) {
    goTheLongWay(next, variant);
    return;
  }
  next.version += 1;
  const running = [...(seen?.running ?? []), call];
  next.state = { version: next.version, running, cursor: seen?.cursor ?? 0, paused: false, expires: false };
  next.sent = { call, under: next.version, isAlone: variant.aloneAmongOthers === true || running.length === 1 };
  Object.assign(self, { does: 'wait', seen: null });
}

/** The gateway learns whether it was stored, if it is still there. */
function arrive(next: FlowWorld, sent: NonNullable<FlowWorld['sent']>, variant: FlowVariant): void {
  const { call, under, isAlone } = sent;
  const isStored = variant.fastUnfenced === true || next.state?.version === under;
  next.sent = null;
  if (isStored) {
    const message = { attempt: 0, wasDelivered: false, isHeld: false };
    next.turns[call] = { kind: 'ready', ...message, under: next.version, alone: isAlone ? under : 0 };
  }
  const self = next.fast;
  if (self.does !== 'wait' || self.call !== call) {
    return;
  }
  if (isStored) {
    next.fast = noFastPath();
  } else if (variant.fastKeeps) {
    goTheLongWay(next, variant);
  } else {
    Object.assign(self, { does: 'give the turn back', advance: advanceFor([call], 0, null, true) });
  }
}

/** Its place in the order is that of a new call. */
function goTheLongWay(next: FlowWorld, variant: FlowVariant): void {
  if (next.fast.call < next.accepted || next.state?.running.includes(next.fast.call) === true) {
    lose(next);
    next.fast = noFastPath();
    nextNumber(next);
  }
  next.fast = noFastPath(); // no other call has come: it keeps its number
  next.waits.push(next.accepted);
  next.copies.push(next.accepted);
  next.notice = variant.noNotice ? 0 : next.accepted;
  next.gateway.notice = next.accepted;
}

/** The number of one more call. */
export function nextNumber(next: FlowWorld): number {
  next.accepted += 1;
  if (next.fast.call > 0) {
    next.rivals.push([next.fast.call, next.accepted]);
  }
  return next.accepted;
}

function lose(next: FlowWorld): void {
  if (next.fast.call > 0) {
    next.lost.push(next.fast.call);
  }
  next.rivals = next.rivals.filter(([first]) => first !== next.fast.call);
}

/**
 * A sweeper, which may look at any moment. It stores the state as it is, so that no ready copy which was sent under the one before can
 * arrive any more, and then looks for the call.
 */
export function suspicionSteps(world: FlowWorld, { fast, hasty }: FlowBounds, variant: FlowVariant): Step<FlowWorld>[] {
  const { suspicion, state, canceller, sweeper, lost } = world;
  if (fast === 0 || variant.noSuspicion) {
    return [];
  }
  if (suspicion !== null) {
    return [
      flowStep(world, `the sweeper suspects call ${suspicion.call}: ${suspicion.does}`, (next) =>
        suspect(next, variant),
      ),
    ];
  }
  // A cancel ends within its time. No other process removes the message of a call before its turn has ended.
  const isCancelling = canceller.does === 'remove' || canceller.does === 'abort' || canceller.does === 'advance';
  if (state === null || sweeper !== null || isCancelling) {
    return [];
  }
  const gone = state.running.filter((call) => isGone(world, call) && (world.hasted < hasty || lost.includes(call)));
  return gone.map((call) =>
    flowStep(world, `the sweeper suspects call ${call}`, (next) => {
      if (!variant.sweepUntouched && next.state !== null) {
        next.version += 1;
        next.state.version = next.version;
      }
      next.hasted += lost.includes(call) ? 0 : 1;
      next.suspicion = { does: 'look', call, under: next.state?.version ?? 0 };
    }),
  );
}

function isGone({ turns, copies }: FlowWorld, call: number): boolean {
  return turns[call] === undefined && !copies.includes(call);
}

function suspect(next: FlowWorld, { sweepBlind = false }: FlowVariant): void {
  const { suspicion, state } = next;
  if (suspicion?.does === 'look' && isGone(next, suspicion.call)) {
    suspicion.does = 'free';
    return;
  }
  if (suspicion?.does === 'free' && state !== null && (sweepBlind || state.version === suspicion.under)) {
    next.version += 1;
    const running = state.running.filter((call) => call !== suspicion.call);
    next.state = { ...state, version: next.version, running };
    next.sweeper = advanceFor([]);
  }
  next.suspicion = null;
}
