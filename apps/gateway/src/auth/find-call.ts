import { type CallIdentity, type CallState, identityOf, isCallId, ownerOf } from '@asyncfn/queue-core';
import type { FunctionNames } from '@asyncfn/queue-core/functions';
import type { CallFinder } from '@asyncfn/queue-core/jetstream';
import { type Caller, hasScope } from '@asyncfn/tokens';
import { decideCallAccess } from './call-access.ts';

/** What the gateway uses to find calls. */
export type CallLookup = Pick<CallFinder, 'available' | 'find' | 'listOwners'>;

/** Where calls are found, and the names that functions have. */
export interface CallPlaces {
  readonly calls: CallLookup;
  readonly names: Pick<FunctionNames, 'namesOf'>;
}

/** Which call a caller asks for. */
export interface AskedCall {
  readonly callId: string;
  /** Whose, where the caller says so; empty for that of nobody. */
  readonly submitter?: string | undefined;
}

/**
 * The call of an id that a caller means: the own one; else, for a caller who may see others' calls, the newest that it
 * may see. Undefined where there is none. It is still to be decided what the caller may do with it. Throws `QueueError`.
 */
export async function findCall(
  { calls, names }: CallPlaces,
  caller: Caller,
  { callId, submitter }: AskedCall,
): Promise<CallState | undefined> {
  if (!isCallId(callId)) {
    return undefined;
  }
  if (submitter !== undefined) {
    return calls.find({ callId, owner: ownerOf(submitter === '' ? undefined : submitter) });
  }
  const own = { callId, owner: ownerOf(caller.name) };
  if (!hasScope(caller, 'read')) {
    return calls.find(own);
  }
  const newest = await calls.find({ callId });
  if (newest === undefined || recordOf(newest).submitter === caller.name) {
    return newest;
  }
  return (
    (await calls.find(own)) ??
    (isVisible(caller, newest, names) ? newest : findVisible({ calls, names }, caller, callId))
  );
}

async function findVisible(
  { calls, names }: CallPlaces,
  caller: Caller,
  callId: string,
): Promise<CallState | undefined> {
  for (const address of await calls.listOwners(callId)) {
    const state = await calls.find(address);
    if (state !== undefined && isVisible(caller, state, names)) {
      return state;
    }
  }
  return undefined;
}

function isVisible(caller: Caller, state: CallState, names: CallPlaces['names']): boolean {
  return decideCallAccess(caller, recordOf(state), 'read', names) === 'allowed';
}

function recordOf(state: CallState) {
  return state.kind === 'active' ? state.call : state.outcome;
}

/** Which call it is that was found. */
export function identityOfState(state: CallState): CallIdentity {
  return state.kind === 'active' ? identityOf(state.call) : state.outcome;
}
