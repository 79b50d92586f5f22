import { addressOf, type CallFilter, type CallStatus, identityOf } from '@asyncfn/queue-core';
import type { CallCanceller, CancelResult, HoldBody, LivingCall, LivingCalls } from '@asyncfn/queue-core/jetstream';
import { toQueueRefusal } from '../enqueue/index.ts';
import { RefusalError } from '../problem.ts';

export interface CancelMatchingOptions {
  readonly living: Pick<LivingCalls, 'each'>;
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
  /** False if some of the calls that were selected at the beginning may be left. */
  readonly complete: boolean;
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
 * Cancels each call as it would be cancelled alone, the oldest of a queue first, and only in a status that the filter names.
 * Throws `QueueError`, and `RefusalError` for a call that the broker does not confirm: what is cancelled by then stays so.
 */
export async function cancelMatching(filter: CallFilter, options: CancelMatchingOptions): Promise<CancelledCalls> {
  const { living, limit, signal, now = performance.now.bind(performance) } = options;
  const selected = { ...filter, statuses: filter.statuses ?? livingStatuses };
  const endsAt = now() + longestMs;
  const counts: Record<Deed, number> = { cancelled: 0, changed: 0, left: 0 };
  for await (const part of living.each(selected)) {
    const calls = part.slice(0, limit - counts.cancelled);
    for (const deed of await Promise.all(calls.map((call) => cancelOne(call, selected.statuses, options)))) {
      counts[deed] += 1;
    }
    if (calls.length < part.length || counts.cancelled >= limit || signal.aborted || now() >= endsAt) {
      return { cancelled: counts.cancelled, complete: false };
    }
  }
  return { cancelled: counts.cancelled, complete: counts.left === 0 };
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
