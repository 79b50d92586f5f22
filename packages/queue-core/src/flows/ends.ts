import type { Rate } from '@asyncfn/units';
import type { FlowState } from './flow-records.ts';

/** The moments of ends are rounded up to so many steps of a period, so that their number is bounded. */
const steps = 50;

/** Ends that are stored with the state have the time of its message, which only its readers know. */
export function withTimes(state: FlowState, storedAtMs: number): FlowState {
  const { justEnded = 0, ...rest } = state;
  // Ours shows whole milliseconds, so up to one less.
  return justEnded === 0 ? rest : { ...rest, ended: [...(state.ended ?? []), [storedAtMs + 1, justEnded]] };
}

/**
 * The state without ends that count no more.
 * @param rate undefined if the key has none: then no end counts
 * @param earliestMs the earliest that it can be at the broker
 */
export function withoutOldEnds(state: FlowState, rate: Rate | undefined, earliestMs: number): FlowState {
  const { ended = [], justEnded = 0, ...rest } = state;
  if (rate === undefined) {
    return rest;
  }
  const step = Math.max(1, Math.ceil(rate.periodMs / steps));
  const counts = new Map<number, number>();
  for (const [atMs, count] of ended.filter((end) => end[0] + rate.periodMs > earliestMs)) {
    const rounded = Math.ceil(atMs / step) * step;
    counts.set(rounded, (counts.get(rounded) ?? 0) + count);
  }
  const left = [...counts].toSorted((one, other) => one[0] - other[0]);
  return { ...rest, ...(left.length > 0 && { ended: left }), ...(justEnded > 0 && { justEnded }) };
}

/**
 * When one more call of the key may get its turn: Unix time in milliseconds. A call uses its part of the rate from its turn until
 * a period after its end, so no window of the length of a period has more beginnings than the rate says, however late
 * after its turn a call begins. Minus infinity: at once. Infinity: not before another call has ended, or the time of those
 * that have just ended is known.
 */
export function nextTurnAt({ running, ended = [], justEnded = 0 }: FlowState, rate: Rate | undefined): number {
  if (rate === undefined) {
    return Number.NEGATIVE_INFINITY;
  }
  const open = running.length + justEnded;
  let over = ended.reduce((sum, end) => sum + end[1], open + 1 - rate.count);
  if (over <= 0) {
    return Number.NEGATIVE_INFINITY;
  }
  for (const [atMs, count] of ended) {
    over -= count;
    if (over <= 0) {
      return atMs + rate.periodMs;
    }
  }
  return Number.POSITIVE_INFINITY;
}
