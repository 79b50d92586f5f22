import { type Call, keyOf } from '@asyncfn/queue-core';
import type { ClaimResult, ExpiryStore } from '@asyncfn/queue-core/jetstream';

/** Whether a delivered call may be invoked. */
export type StartPermit =
  /** Its first attempt may begin, or has already begun. */
  | 'start'
  /** It has expired, and this worker must end it. */
  | 'expire'
  /** It has expired, and another process is ending it; or it could not be decided. */
  | 'wait';

/** Whether the call may still expire: it has an expiry time and has not started. */
export function mayExpire(call: Call): call is Call & { readonly expiresAt: number } {
  return call.expiresAt !== undefined && call.startedAt === undefined;
}

/**
 * Decides whether a call may start. Costs something only for a call that may still expire: one write, after which it
 * never expires. Throws `QueueError`.
 *
 * A slow broker may confirm that write after the call has expired. Then the worker takes it back, since no attempt has
 * begun. A worker that finds the claim and takes over from one that may be dead must write it again first, so that only
 * one of the two succeeds.
 * @param isFirst whether no worker can have had the call before. If not, the one that was ending it may have died
 */
export async function permitStart(
  call: Call,
  isFirst: boolean,
  expiries: Pick<ExpiryStore, 'claim' | 'revise'>,
  now: () => number,
): Promise<StartPermit> {
  if (!mayExpire(call)) {
    return 'start';
  }
  const { expiresAt } = call;
  const key = keyOf(call);
  const claim = await expiries.claim(key, expiresAt, now() < expiresAt ? 'started' : 'expired');
  if (claim.kind === 'decided' && claim.decision === 'started' && !(claim.byUs && now() < expiresAt)) {
    return toPermit(await expiries.revise(key, expiresAt, claim.byUs ? 'expired' : 'started', claim.sequence), isFirst);
  }
  return toPermit(claim, isFirst);
}

function toPermit(claim: ClaimResult, isFirst: boolean): StartPermit {
  if (claim.kind === 'refused') {
    return 'wait';
  }
  if (claim.decision === 'started') {
    return 'start';
  }
  return claim.byUs || !isFirst ? 'expire' : 'wait';
}
