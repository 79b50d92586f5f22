import { isDeepStrictEqual } from 'node:util';
import { parseRate, type Rate } from '@asyncfn/units';
import type { Call, CallIdentity } from '../call/index.ts';
import type { FlowKey } from './flow-key.ts';
import type { FlowLimits, FlowState } from './flow-records.ts';

/** A call that gets its turn, and the sequence at which it has waited. */
interface Turn {
  readonly call: Pick<Call, 'id' | 'startTime'>;
  readonly sequence: number;
}

/** What an operator changes. Default: nothing. */
export interface FlowControl {
  readonly paused?: boolean;
  /** Null removes those that are set. */
  readonly pin?: FlowLimits | null;
}

/** Calls of a key run one after the other unless its function or a caller says otherwise. */
const defaultParallelism = 1;

/** The state of a key none of whose calls has its turn. */
export function emptyState({ function: name, submitter, key }: FlowKey): FlowState {
  return { v: 1, function: name, ...(submitter !== undefined && { submitter }), key, running: [], cursor: 0 };
}

/** The state after these calls have ended. Those that do not have their turn change nothing. */
export function withoutCalls(
  state: FlowState,
  ended: readonly Pick<CallIdentity, 'callId' | 'startTime'>[],
): FlowState {
  const running = state.running.filter(
    ([id, startTime]) => !ended.some((call) => call.callId === id && call.startTime === startTime),
  );
  const count = state.running.length - running.length;
  return { ...state, running, ...(count > 0 && { justEnded: (state.justEnded ?? 0) + count }) };
}

/** The state after these calls have got their turn. */
export function withTurns(state: FlowState, turns: readonly Turn[]): FlowState {
  return {
    ...state,
    running: [...state.running, ...turns.map(({ call }) => [call.id, call.startTime] as [string, string])],
    cursor: Math.max(state.cursor, ...turns.map(({ sequence }) => sequence)),
  };
}

/** The state after an operator has changed it. */
export function withControl(state: FlowState, { paused, pin }: FlowControl): FlowState {
  const { paused: wasPaused, pin: pinned, ...rest } = state;
  const isPaused = paused ?? wasPaused === true;
  const limits = pin === undefined ? pinned : (pin ?? undefined);
  return { ...rest, ...(isPaused && { paused: true as const }), ...(limits !== undefined && { pin: limits }) };
}

/**
 * How many calls of the key may run at once: what an operator has set, or the settings of its function, or what the latest
 * call has named, or one.
 */
export function limitOf(
  { pin }: Pick<FlowState, 'pin'>,
  settings: number | undefined,
  named: number | undefined,
): number {
  return pin?.parallelism ?? settings ?? named ?? defaultParallelism;
}

/** Most calls of the key in any window of a length, by the same order; undefined for no limit. */
export function rateOf(
  { pin }: Pick<FlowState, 'pin'>,
  settings: Rate | undefined,
  named: string | undefined,
): Rate | undefined {
  const asRate = (text: string | undefined) => (text === undefined ? undefined : parseRate(text));
  return asRate(pin?.rate) ?? settings ?? asRate(named);
}

type LimitSource = 'pin' | 'function' | 'caller';

/** Who has set each limit: an operator, the settings of the function, or the latest call that has named one; null for none. */
export interface LimitSources {
  readonly parallelism: LimitSource | null;
  readonly rate: LimitSource | null;
}

/** Who has set what `limitOf` and `rateOf` return. */
export function sourcesOf(
  { pin, ...named }: Pick<FlowState, 'pin' | 'parallelism' | 'rate'>,
  settings: { readonly parallelism?: number | undefined; readonly rate?: Rate | undefined } = {},
): LimitSources {
  const order = { pin, function: settings, caller: named } as const;
  const sources = ['pin', 'function', 'caller'] as const;
  const sourceOf = (limit: 'parallelism' | 'rate') =>
    sources.find((source) => order[source]?.[limit] !== undefined) ?? null;
  return { parallelism: sourceOf('parallelism'), rate: sourceOf('rate') };
}

/** How many more calls may get their turn. After the limit was lowered, more than it may run: then none may. */
export function roomIn({ running, paused }: FlowState, limit: number): number {
  return paused === true ? 0 : Math.max(0, limit - running.length);
}

/** Whether the state is of no use once its ends count no more: no call has its turn, and no operator has said anything. */
export function isAtRest({ running, paused, pin }: FlowState): boolean {
  return running.length === 0 && paused !== true && pin === undefined;
}

/** Whether nothing has to be stored. Ends that are forgotten need not be. */
export function isSameState(stored: FlowState, next: FlowState): boolean {
  return next.justEnded === undefined && isDeepStrictEqual({ ...stored, ended: 0 }, { ...next, ended: 0 });
}
