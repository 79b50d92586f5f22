import { addressOf, type CallIdentity, type CallState } from '@asyncfn/queue-core';
import type { CallWatches } from '@asyncfn/queue-core/jetstream';
import type { Asker, CallLookup } from '../auth/index.ts';
import type { WaitEnd } from './wait-end.ts';

interface FollowDependencies {
  readonly calls: Pick<CallLookup, 'find'>;
  /** The waiting caller. */
  readonly asker: Asker;
  readonly watches: Pick<CallWatches, 'open'>;
}

/**
 * Waits for the end of a call. Resolves to its state then, or when the signal aborts; undefined if the call is not
 * known. Skips the look-up if the client is gone, because clients may leave by the thousand. Throws `QueueError`.
 */
export async function untilEnded(
  { calls, watches, asker }: FollowDependencies,
  call: CallIdentity,
  { signal, isHeard }: Pick<WaitEnd, 'signal' | 'isHeard'>,
): Promise<CallState | undefined> {
  // Subscribes first and looks up second, so that an end in between is not missed.
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
 * Yields the state of a call whenever it may have changed, until its end or until the signal aborts. Continues after an
 * outage of the broker.
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
