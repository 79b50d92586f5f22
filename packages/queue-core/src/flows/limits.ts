import type { Rate } from '@asyncfn/units';
import { nextTurnAt } from './ends.ts';
import type { FlowLimits, FlowState } from './flow-records.ts';
import { limitOf, rateOf, roomIn } from './turns.ts';

/** What holds for a key. */
export interface KeyLimits {
  /** How many of its calls may run at once. */
  readonly parallelism: number;
  readonly rate: Rate | undefined;
}

/** What the settings of a function say of its keys. */
interface KeySettings {
  readonly parallelism?: number | undefined;
  readonly rate?: Rate | undefined;
}

/** The limits of a key, by the order of `limitOf`. */
export function limitsOf(
  state: Pick<FlowState, 'pin'>,
  settings: KeySettings | undefined,
  named: FlowLimits,
): KeyLimits {
  return {
    parallelism: limitOf(state, settings?.parallelism, named.parallelism),
    rate: rateOf(state, settings?.rate, named.rate),
  };
}

/** What the state says that calls have named. */
export function namedIn({ parallelism, rate }: Pick<FlowState, 'parallelism' | 'rate'>): FlowLimits {
  return { ...(parallelism !== undefined && { parallelism }), ...(rate !== undefined && { rate }) };
}

/** Whether one more call may get its turn, now or at a moment that is known. */
export function hasRoom(state: FlowState, { parallelism, rate }: KeyLimits): boolean {
  return roomIn(state, parallelism) > 0 && nextTurnAt(state, rate) < Number.POSITIVE_INFINITY;
}

/** Whether one more call may begin now. */
export function isOpenAt(state: FlowState, { parallelism, rate }: KeyLimits, earliestMs: number): boolean {
  return roomIn(state, parallelism) > 0 && nextTurnAt(state, rate) <= earliestMs;
}
