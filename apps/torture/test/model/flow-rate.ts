import {
  type FlowState,
  isAtRest,
  nextTurnAt,
  withoutCalls,
  withoutOldEnds,
  withTimes,
  withTurns,
} from '@asyncfn/queue-core/flows';
import { copyOf, type Model, type Step } from './explore.ts';

export interface FlowRateBounds {
  readonly calls: number;
  /** Calls of the key that may run at once. */
  readonly parallelism: number;
  /** At most so many calls in any window of `period` ticks. */
  readonly count: number;
  readonly period: number;
  /** The count changes to this one at some moment; 0 for never. */
  readonly newCount: number;
}

/** Deliberate mistakes; all are false in the real protocol. */
export interface FlowRateVariant {
  /** A call counts from its turn on, not from its end on. */
  readonly countsFromTurn?: boolean;
  /** Calls that run use no part of the rate. */
  readonly ignoresRunning?: boolean;
  /** Ends count only once their time is known. */
  readonly ignoresJustEnded?: boolean;
  /** The state is removed with the last call of the key. */
  readonly forgetsAtRest?: boolean;
  /** The broker removes the state before the last end is a period old. */
  readonly shortTtl?: boolean;
  /** After an end has been stored, those that wait are not looked at again. */
  readonly noSecondLook?: boolean;
  /** The next call is ready at once, and not when the rate allows it. */
  readonly noSchedule?: boolean;
}

/**
 * One key with a rate: calls wait, get their turn at a moment, begin some time after it, and end some time after that. All times
 * are relative to now, so that worlds which differ in nothing else are the same.
 */
interface FlowRateWorld {
  waiting: number;
  /** As it is stored. */
  state: FlowState | null;
  storedAt: number;
  /** When each call that has its turn may begin. */
  turns: Record<string, { dueAt: number; runs: boolean }>;
  /** When calls have begun within the last period, and how many have begun at all. */
  begun: number[];
  allBegun: number;
  /** Whether a process is about to give turns. */
  looks: boolean;
  count: number;
  changed: boolean;
}

const key = { v: 1 as const, function: 'f', key: 'k', running: [], cursor: 0 };

export function flowRate(bounds: FlowRateBounds, variant: FlowRateVariant = {}): Model<FlowRateWorld> {
  const { calls, count } = bounds;
  return {
    initial: {
      waiting: calls,
      state: null,
      storedAt: 0,
      turns: {},
      begun: [],
      allBegun: 0,
      looks: true,
      count,
      changed: false,
    },
    steps: (world) => [
      ...timeSteps(world, bounds, variant),
      ...callSteps(world, bounds, variant),
      ...changeSteps(world, bounds),
    ],
    wrong: ({ begun }) => {
      const most = Math.max(count, bounds.newCount);
      return begun.length > most ? 'more calls in a period than the rate allows' : undefined;
    },
    unfinished: ({ allBegun }) => (allBegun < calls ? 'a call waits for ever' : undefined),
  };
}

function step(world: FlowRateWorld, name: string, then: (next: FlowRateWorld) => void): Step<FlowRateWorld> {
  const next = copyOf(world);
  then(next);
  return { name, next };
}

/** All times are a tick further back. */
function passTime(world: FlowRateWorld, period: number): void {
  const { state, turns } = world;
  world.begun = world.begun.map((at) => at - 1).filter((at) => at > -period);
  world.storedAt = Math.max(world.storedAt - 1, -period - 2);
  for (const turn of Object.values(turns)) {
    turn.dueAt = Math.max(0, turn.dueAt - 1);
  }
  if (state?.ended !== undefined) {
    world.state = { ...state, ended: state.ended.map(([at, count]) => [at - 1, count]) };
  }
}

function timeSteps(world: FlowRateWorld, bounds: FlowRateBounds, variant: FlowRateVariant): Step<FlowRateWorld>[] {
  const { state, storedAt, turns, begun } = world;
  const steps: Step<FlowRateWorld>[] = [];
  const isYoung = state !== null && storedAt > -bounds.period - 2;
  if (isYoung || begun.length > 0 || Object.values(turns).some(({ dueAt }) => dueAt > 0)) {
    steps.push(step(world, 'time passes', (next) => passTime(next, bounds.period)));
  }
  const ttl = variant.shortTtl ? bounds.period - 1 : bounds.period + 1;
  if (state !== null && isAtRest(state) && Object.keys(turns).length === 0 && storedAt + ttl <= 0) {
    steps.push(step(world, 'the broker removes the state', (next) => Object.assign(next, { state: null })));
  }
  return steps;
}

function callSteps(world: FlowRateWorld, bounds: FlowRateBounds, variant: FlowRateVariant): Step<FlowRateWorld>[] {
  const steps: Step<FlowRateWorld>[] = [];
  if (world.looks) {
    steps.push(step(world, 'turns are given', (next) => give(next, bounds, variant, undefined)));
  }
  for (const [call, { dueAt, runs }] of Object.entries(world.turns)) {
    if (!runs && dueAt === 0) {
      steps.push(
        step(world, `call ${call} begins`, (next) => {
          next.turns[call] = { dueAt, runs: true };
          next.begun.push(0);
          next.allBegun += 1;
        }),
      );
    }
    if (runs) {
      steps.push(step(world, `call ${call} ends`, (next) => give(next, bounds, variant, call)));
    }
  }
  return steps;
}

/** What `TurnGiver` does, in one step: the broker stores it only if nothing has changed meanwhile. */
function give(next: FlowRateWorld, bounds: FlowRateBounds, variant: FlowRateVariant, ended: string | undefined): void {
  const rate = { count: next.count, periodMs: bounds.period };
  const before = withoutOldEnds(stateAfter(next, variant, ended), rate, 0);
  if (ended !== undefined) {
    delete next.turns[ended];
  }
  const state = giveTurns(next, before, bounds, variant);
  const counts = state.ended !== undefined || state.justEnded !== undefined;
  const isGone = isAtRest(state) && (variant.forgetsAtRest === true || !counts);
  next.state = isGone ? null : state;
  next.storedAt = 0;
  next.looks = next.waiting > 0 && state.justEnded !== undefined && !variant.noSecondLook;
}

function stateAfter(world: FlowRateWorld, variant: FlowRateVariant, ended: string | undefined): FlowState {
  const read = world.state === null ? key : withTimes(world.state, world.storedAt);
  const { justEnded, ...rest } = withoutCalls(read, ended === undefined ? [] : [{ callId: ended, startTime: '1' }]);
  return { ...rest, ...(justEnded !== undefined && !variant.countsFromTurn && { justEnded }) };
}

function giveTurns(
  next: FlowRateWorld,
  before: FlowState,
  bounds: FlowRateBounds,
  variant: FlowRateVariant,
): FlowState {
  const rate = { count: next.count, periodMs: bounds.period };
  let state = before;
  while (next.waiting > 0 && state.running.length < bounds.parallelism) {
    const allowedAt = nextTurnAt(seenBy(state, variant), rate);
    if (allowedAt === Number.POSITIVE_INFINITY) {
      break;
    }
    const call = bounds.calls - next.waiting + 1;
    const dueAt = Math.max(allowedAt, 0);
    state = withTurns(state, [{ call: { id: String(call), startTime: '1' }, sequence: call }]);
    state = variant.countsFromTurn ? { ...state, ended: [...(state.ended ?? []), [dueAt, 1]] } : state;
    next.turns[call] = { dueAt: variant.noSchedule ? 0 : dueAt, runs: false };
    next.waiting -= 1;
  }
  return state;
}

function seenBy(state: FlowState, { ignoresRunning, ignoresJustEnded, countsFromTurn }: FlowRateVariant): FlowState {
  const running = ignoresRunning || countsFromTurn ? [] : state.running;
  const { justEnded, ...rest } = state;
  return { ...rest, running, ...(justEnded !== undefined && !ignoresJustEnded && { justEnded }) };
}

function changeSteps(world: FlowRateWorld, { newCount }: FlowRateBounds): Step<FlowRateWorld>[] {
  if (newCount === 0 || world.changed) {
    return [];
  }
  return [
    step(world, 'the rate changes', (next) => {
      Object.assign(next, { count: newCount, changed: true, looks: true });
    }),
  ];
}
