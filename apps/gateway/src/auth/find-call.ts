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

/** The submitter of a look-up; submitters take turns. */
export interface Asker extends Pick<Caller, 'name'> {
  /** The request is already admitted to wait, and waiting requests are limited, so it is never refused. */
  readonly hasPlace?: boolean;
}

/** Finds calls. Throws `RefusalError` if the submitter has too many waiting look-ups. */
export interface CallLookup extends Pick<CallFinder, 'available'> {
  find(address: CallAddress, asker?: Asker): Promise<CallState | undefined>;
  listOwners(callId: string, asker?: Asker): Promise<CallAddress[]>;
}

/** The sources of a look-up: calls, and the names of functions. */
export interface CallPlaces {
  readonly calls: CallLookup;
  readonly names: Pick<FunctionNames, 'namesOf'>;
}

/** The requested call. */
export interface AskedCall {
  readonly callId: string;
  /** The submitter, if the request names one; empty for a call without a token. */
  readonly submitter?: string | undefined;
}

/**
 * Finds the call that a caller means by an id: its own; otherwise, for a caller that may see others' calls, the newest
 * that it may see. Undefined if none exists. Does not decide what the caller may do with the call. Throws `QueueError`.
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

/** The identity of the found call. */
export function identityOfState(state: CallState): CallIdentity {
  return state.kind === 'active' ? identityOf(state.call) : state.outcome;
}
