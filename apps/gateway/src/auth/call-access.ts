import type { FunctionNames } from '@asyncfn/queue-core/functions';
import { type Caller, coversFunction, hasScope } from '@asyncfn/tokens';

/** The facts that decide who may access a call. */
export interface CallOwner {
  /** Name of the token that the call was submitted with; undefined if no token was required. */
  readonly submitter?: string | undefined;
  readonly function: string;
}

/**
 * `hidden` is answered as if the call did not exist, so that ids cannot be discovered by trying. `forbidden` is only
 * for callers that may know of the call.
 */
export type CallAccess = 'allowed' | 'forbidden' | 'hidden';

/**
 * Whether a caller may see the state and the result of a call, or cancel it: its submitter may do both, `admin` both
 * of any call, and `read` sees the calls of the functions that its token is for.
 */
export function decideCallAccess(
  caller: Caller,
  call: CallOwner,
  deed: 'read' | 'cancel',
  names: Pick<FunctionNames, 'namesOf'>,
): CallAccess {
  const isSubmitter = caller.name !== undefined && caller.name === call.submitter;
  if (caller.scopes.has('admin') || isSubmitter) {
    return 'allowed';
  }
  if (!hasScope(caller, 'read') || !coversFunction(caller, call.function, names)) {
    return 'hidden';
  }
  return deed === 'read' ? 'allowed' : 'forbidden';
}
