import { addressOf, type CallIdentity, type CallStanding } from '@asyncfn/queue-core';
import type { CallFinder, CallWatches } from '@asyncfn/queue-core/jetstream';
import type { WaitEnd } from './wait-end.ts';

export interface FollowParts {
  readonly calls: Pick<CallFinder, 'find'>;
  readonly watches: Pick<CallWatches, 'open'>;
}

/**
 * Waits for the end of a call. Gives where it stands then, or when the signal aborts; undefined for a call that is not
 * known. Where nobody hears the answer any more it is not looked for: clients may leave by the thousand. Throws
 * `QueueError`.
 */
export async function untilEnded(
  { calls, watches }: FollowParts,
  call: CallIdentity,
  { signal, isHeard }: Pick<WaitEnd, 'signal' | 'isHeard'>,
): Promise<CallStanding | undefined> {
  // Listens first and looks second: an end in between is heard.
  using watch = watches.open(call, 'end');
  for (;;) {
    const standing = await calls.find(addressOf(call));
    if (standing?.kind !== 'alive' || signal.aborted || watch === undefined) {
      return standing;
    }
    await watch.next(signal);
    if (!isHeard()) {
      return standing;
    }
  }
}

/**
 * Where a call stands, at each sign that this may have changed, until its end or until the signal aborts. It goes on over
 * an outage of the broker.
 */
export async function* followCall(
  { calls, watches }: FollowParts,
  call: CallIdentity,
  signal: AbortSignal,
): AsyncGenerator<CallStanding, void, void> {
  using watch = watches.open(call, 'changes');
  while (!signal.aborted) {
    const standing = await calls.find(addressOf(call)).catch(() => 'unreachable' as const);
    if (standing === undefined) {
      return;
    }
    if (standing !== 'unreachable') {
      yield standing;
    }
    if (watch === undefined || (standing !== 'unreachable' && standing.kind === 'ended')) {
      return;
    }
    await watch.next(signal);
  }
}
