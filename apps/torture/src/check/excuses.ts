import type { Rate } from '@asyncfn/units';
import type { FaultSpan, Invocation, Story } from '../history/index.ts';

export interface RuleLimits {
  /** How late effects may be after a fault has ended, in milliseconds: a paused process still acts on old knowledge. */
  readonly slackMs: number;
  /** How far the clock of a process may differ from the broker's clock if it jumps, in milliseconds. */
  readonly clockMs: number;
  /** How much later than its start an invocation may arrive, in milliseconds. */
  readonly lateMs: number;
  /** Within this time a call that a stopping worker gave back runs again, in milliseconds. */
  readonly handoverMs: number;
  /** Shortest time that a retry waits before it comes into the queue, in milliseconds. */
  readonly retryWaitMs: number;
  /** Shortest time for which the end of a call, and its id with it, is known, in milliseconds. */
  readonly endsKeptMs: number;
  /** The rate of the function that is paused from time to time. Default: none. */
  readonly pace?: Rate | undefined;
}

export interface RuleContext {
  readonly faults: readonly FaultSpan[];
  readonly limits: RuleLimits;
}

/** The time during which a worker may have held an attempt of a call. */
interface Held {
  /** When the attempt came into the queue. Its worker may have held it since then, waiting for its turn. */
  readonly from: number;
  /** When the end of the call was on record, possibly long after the function answered. */
  readonly to: number;
}

/**
 * The time during which a worker may have held the attempt: it comes into the queue a wait after the previous one has
 * returned.
 */
export function heldSpan({ sent, invocations, ends }: Story, { retry }: Invocation, { limits }: RuleContext): Held {
  const returned = invocations.filter((each) => each.retry < retry && each.to < Number.POSITIVE_INFINITY);
  const due = returned.map(({ to }) => to + limits.retryWaitMs);
  return { from: Math.max(sent.at, ...due), to: firstEnd(ends) };
}

/** When the end of the call was on record; never for a call without one. */
export function firstEnd(ends: Story['ends']): number {
  return Math.min(...ends.map(({ at }) => at));
}

/**
 * Whether a second invocation beside the first one is excused. Either the worker of the first one lost its lease, so
 * that both workers held the call; or the worker of the second one was paused while it held the call, from before the
 * first invocation, and acted on old knowledge when it resumed.
 */
export function isExcused(first: Invocation, second: Invocation, held: Held, context: RuleContext): boolean {
  const { faults, limits } = context;
  const heldUntil = Math.min(held.to, second.from) + limits.slackMs;
  return (
    faults.some((fault) => {
      const isOfAll = fault.breaksLeasesOf === 'all' && overlaps(fault, held.from, second.from, limits);
      return isOfAll || (fault.breaksLeasesOf === first.worker && overlaps(fault, held.from, heldUntil, limits));
    }) || wasHeldUp(second, first.from, context)
  );
}

/** Whether the worker was held up from this moment or earlier until it made this invocation. */
export function wasHeldUp(invocation: Invocation, since: number, { faults, limits }: RuleContext): boolean {
  return faults.some(
    ({ breaksLeasesOf, from, to }) =>
      (breaksLeasesOf === 'all' || breaksLeasesOf === invocation.worker) &&
      from <= since + limits.slackMs &&
      invocation.from <= to + limits.slackMs &&
      invocation.from >= from,
  );
}

/**
 * Whether the call may have counted as started by then, because a worker could not begin it or could not learn that it
 * may. A worker that takes over cannot know, and the call never expires.
 */
export function mayHaveStarted(acceptedAt: number, expiredAt: number, { faults, limits }: RuleContext): boolean {
  return faults.some((fault) => fault.breaksLeasesOf !== 'none' && overlaps(fault, acceptedAt, expiredAt, limits));
}

/**
 * How far off, in milliseconds, the time may have been by which the gateway turned a delay or an expiry into a time of
 * day, or by which the worker compared it. Both use the broker's clock, so a jump explains no more than that.
 */
export function clockError(from: number, to: number, { faults, limits }: RuleContext): number {
  const jumps = faults.filter((fault) => overlaps(fault, from, to, limits)).map(({ jumpMs = 0 }) => Math.abs(jumpMs));
  return Math.min(limits.clockMs, Math.max(0, ...jumps));
}

function overlaps(fault: FaultSpan, from: number, to: number, { slackMs }: RuleLimits): boolean {
  return fault.from <= to && fault.to + slackMs >= from;
}
