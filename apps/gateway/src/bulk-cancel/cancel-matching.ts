import { addressOf, type CallStatus, identityOf } from '@asyncfn/queue-core';
import type { CallCanceller, CancelResult, HoldBody, LivingCall } from '@asyncfn/queue-core/jetstream';
import { toQueueRefusal } from '../enqueue/index.ts';
import { RefusalError } from '../problem.ts';
import type { LivingScan } from './living-scans.ts';

export interface CancelMatchingOptions {
  readonly canceller: Pick<CallCanceller, 'cancel' | 'cancelWaiting' | 'cancelUnlessRunning'>;
  /** Counts the bodies of the calls that are being cancelled. */
  readonly hold: HoldBody;
  /** Most calls to cancel. */
  readonly limit: number;
  /** Ends it early: calls that are not cancelled by then go on. */
  readonly signal: AbortSignal;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

export interface CancelledCalls {
  readonly cancelled: number;
  /**
   * `complete`: none of the calls that were selected at the beginning is left. `cut`: the time is up, and the scan can be
   * continued.
   */
  readonly end: 'complete' | 'some left' | 'cut';
}

/** The statuses of calls that have not ended. */
export const livingStatuses: ReadonlySet<CallStatus> = new Set<CallStatus>([
  'scheduled',
  'queued',
  'running',
  'retrying',
]);

/** Nothing more is read or cancelled after this many milliseconds. */
const longestMs = 5_000;
const notCancelled = 'A call is not confirmed to be cancelled. Those before it are. Send the request again.';

/** What became of one call. `left`: it is still selected, and goes on. */
type Deed = 'cancelled' | 'changed' | 'left';

/**
 * Cancels each call of a scan as it would be cancelled alone, the oldest of a queue first, and only in one of the statuses.
 * Throws `QueueError`, and `RefusalError` for a call that the broker does not confirm: what is cancelled by then stays so.
 */
export async function cancelMatching(
  scan: LivingScan,
  statuses: ReadonlySet<CallStatus>,
  options: CancelMatchingOptions,
): Promise<CancelledCalls> {
  const { limit, signal, now = performance.now.bind(performance) } = options;
  const endsAt = now() + longestMs;
  let cancelled = 0;
  for (;;) {
    const { value: part, done } = await scan.parts.next();
    if (done === true || part === undefined) {
      return { cancelled, end: scan.hasLeft ? 'some left' : 'complete' };
    }
    const calls = part.slice(0, limit - cancelled);
    const deeds = await Promise.all(calls.map((call) => cancelOne(call, statuses, options)));
    cancelled += deeds.filter((deed) => deed === 'cancelled').length;
    scan.hasLeft ||= deeds.includes('left');
    if (calls.length < part.length || cancelled >= limit) {
      return { cancelled, end: 'some left' };
    }
    if (signal.aborted || now() >= endsAt) {
      return { cancelled, end: 'cut' };
    }
  }
}

async function cancelOne(
  call: LivingCall,
  statuses: ReadonlySet<CallStatus>,
  { canceller, hold }: Pick<CancelMatchingOptions, 'canceller' | 'hold'>,
): Promise<Deed> {
  const address = addressOf(identityOf(call.queued.call));
  const mayRun = statuses.has('running');
  const isNew = call.status === 'scheduled' || call.status === 'retrying' || (call.status === 'queued' && mayRun);
  const result: CancelResult | undefined =
    (isNew ? await canceller.cancelWaiting(call.queued) : undefined) ??
    (await (mayRun ? canceller.cancel(address, hold) : canceller.cancelUnlessRunning(address, hold)));
  if (result?.kind !== 'refused') {
    return result?.kind === 'cancelled' ? 'cancelled' : 'changed';
  }
  if (result.reason !== 'overloaded') {
    throw new RefusalError({ ...toQueueRefusal(result.reason), detail: notCancelled, reason: result.detail });
  }
  return 'left'; // it moves too fast, or there is no room for its body now
}
