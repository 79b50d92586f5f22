import {
  type CallAddress,
  type CallIdentity,
  type CallState,
  identityOf,
  isCallId,
  ownerOf,
} from '@asyncfn/queue-core';
import type { FunctionNames } from '@asyncfn/queue-core/functions';
import type { CallFinder } from '@asyncfn/queue-core/jetstream';
import { type Caller, hasScope } from '@asyncfn/tokens';
import { decideCallAccess } from './call-access.ts';

/** For whom calls are looked for: submitters take turns. */
export interface Asker extends Pick<Caller, 'name'> {
  /** It has a place among those that wait, which are few enough: it is never refused. */
  readonly hasPlace?: boolean;
}

/** What the gateway uses to find calls. Throws `RefusalError` for an asker who has too many looks waiting. */
export interface CallLookup extends Pick<CallFinder, 'available'> {
  find(address: CallAddress, asker?: Asker): Promise<CallState | undefined>;
  listOwners(callId: string, asker?: Asker): Promise<CallAddress[]>;
}

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
    return calls.find({ callId, owner: ownerOf(submitter === '' ? undefined : submitter) }, caller);
  }
  const own = { callId, owner: ownerOf(caller.name) };
  if (!hasScope(caller, 'read')) {
    return calls.find(own, caller);
  }
  const newest = await calls.find({ callId }, caller);
  if (newest === undefined || recordOf(newest).submitter === caller.name) {
    return newest;
  }
  return (
    (await calls.find(own, caller)) ??
    (isVisible(caller, newest, names) ? newest : findVisible({ calls, names }, caller, callId))
  );
}

async function findVisible(
  { calls, names }: CallPlaces,
  caller: Caller,
  callId: string,
): Promise<CallState | undefined> {
  for (const address of await calls.listOwners(callId, caller)) {
    const state = await calls.find(address, caller);
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
