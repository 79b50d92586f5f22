import { addressOf, type CallIdentity, type CallState } from '@asyncfn/queue-core';
import type { CallWatches } from '@asyncfn/queue-core/jetstream';
import type { Asker, CallLookup } from '../auth/index.ts';
import type { WaitEnd } from './wait-end.ts';

export interface FollowDependencies {
  readonly calls: Pick<CallLookup, 'find'>;
  /** Who waits. */
  readonly asker: Asker;
  readonly watches: Pick<CallWatches, 'open'>;
}

/**
 * Waits for the end of a call. Gives where it stands then, or when the signal aborts; undefined for a call that is not
 * known. Where nobody hears the answer any more it is not looked for: clients may leave by the thousand. Throws
 * `QueueError`.
 */
export async function untilEnded(
  { calls, watches, asker }: FollowDependencies,
  call: CallIdentity,
  { signal, isHeard }: Pick<WaitEnd, 'signal' | 'isHeard'>,
): Promise<CallState | undefined> {
  // Listens first and looks second: an end in between is heard.
  using watch = watches.open(call, 'end');
  for (;;) {
    const state = await calls.find(addressOf(call), asker);
    if (state?.kind !== 'active' || signal.aborted || watch === undefined) {
      return state;
    }
    await watch.next(signal);
    if (!isHeard()) {
      return state;
    }
  }
}

/**
 * Where a call stands, at each sign that this may have changed, until its end or until the signal aborts. It goes on over
 * an outage of the broker.
 */
export async function* followCall(
  { calls, watches, asker }: FollowDependencies,
  call: CallIdentity,
  signal: AbortSignal,
): AsyncGenerator<CallState, void, void> {
  using watch = watches.open(call, 'changes');
  while (!signal.aborted) {
    const state = await calls.find(addressOf(call), asker).catch(() => 'unreachable' as const);
    if (state === undefined) {
      return;
    }
    if (state !== 'unreachable') {
      yield state;
    }
    if (watch === undefined || (state !== 'unreachable' && state.kind === 'ended')) {
      return;
    }
    await watch.next(signal);
  }
}
