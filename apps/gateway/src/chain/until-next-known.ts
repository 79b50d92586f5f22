import { type CallState, ownerOf, retry } from '@asyncfn/queue-core';
import type { Asker, CallLookup } from '../auth/index.ts';

/** A step is stored some milliseconds after the end of the call before it. Waits between the looks for it. */
const lookMs = [5, 10, 20, 50, 100, 200, 400] as const;

/**
 * Waits, for less than a second, until the call that follows an ended one in its chain can be found: a client that reads `next`
 * in a state asks for that call at once. Costs calls without a chain nothing.
 */
export async function untilNextKnown<S extends CallState | undefined>(
  state: S,
  calls: Pick<CallLookup, 'find'>,
  asker: Asker,
): Promise<S> {
  if (state?.kind === 'ended' && state.outcome.next !== undefined) {
    const { next, submitter } = state.outcome;
    const address = { callId: next.callId, owner: ownerOf(submitter) };
    await retry(() => calls.find(address, asker), { waits: lookMs, until: (found) => found !== undefined });
  }
  return state;
}
