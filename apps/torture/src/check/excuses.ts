import type { FaultSpan, Invocation } from '../history/index.ts';

export interface RuleLimits {
  /** How late the world may be after a fault has ended, in milliseconds: a paused process still acts on what it knew. */
  readonly slackMs: number;
  /** How far a process whose clock jumps may be off from the broker's clock, in milliseconds. */
  readonly clockMs: number;
  /** How much later an invocation may arrive than it began, in milliseconds. */
  readonly lateMs: number;
  /** By when a call that a stopping worker gave back is run again, in milliseconds. */
  readonly handoverMs: number;
  /** How long a retry waits at least before it comes into the queue, in milliseconds. */
  readonly retryWaitMs: number;
  /** How long the end of a call is known at least, and its id with it, in milliseconds. */
  readonly endsKeptMs: number;
}

export interface RuleContext {
  readonly faults: readonly FaultSpan[];
  readonly limits: RuleLimits;
}

/** How long a worker may have had an attempt of a call. */
export interface Held {
  /** When the attempt came into the queue. Its worker may have had it since: it may have waited for its turn. */
  readonly from: number;
  /** When the end of the call was on record, which may be long after the function has answered. */
  readonly to: number;
}

/**
 * Whether there may be a second invocation beside the first one: because a lease was lost while the worker of the first
 * one had the call, so that both had it, or because the worker of the second one stood still with the call, from before
 * the first one, and did not know better when it went on.
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

/** Whether the worker was held up from a moment on, or before it, until it made this invocation. */
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
 * Whether a call may have been taken for started by then: by a worker that could not begin, or could not hear that it may.
 * Nobody who goes on in its place can tell, and it never expires.
 */
export function mayHaveStarted(acceptedAt: number, expiredAt: number, { faults, limits }: RuleContext): boolean {
  return faults.some((fault) => fault.breaksLeasesOf !== 'none' && overlaps(fault, acceptedAt, expiredAt, limits));
}

/**
 * How far off, in milliseconds, the time may have been by which the gateway turned a delay or an expiry into a time of day,
 * or the worker compared it. Both go by the broker's clock: beyond that a jump explains nothing.
 */
export function clockError(from: number, to: number, { faults, limits }: RuleContext): number {
  const jumps = faults.filter((fault) => overlaps(fault, from, to, limits)).map(({ jumpMs = 0 }) => Math.abs(jumpMs));
  return Math.min(limits.clockMs, Math.max(0, ...jumps));
}

function overlaps(fault: FaultSpan, from: number, to: number, { slackMs }: RuleLimits): boolean {
  return fault.from <= to && fault.to + slackMs >= from;
}
