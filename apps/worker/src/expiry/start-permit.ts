import { type Call, keyOf } from '@asyncfn/queue-core';
import type { ClaimResult, ExpiryStore } from '@asyncfn/queue-core/jetstream';

/** Whether a call that a worker holds may be invoked. */
export type StartPermit =
  /** Its first attempt may begin, or has begun before. */
  | 'start'
  /** It has expired, and whoever asked is to end it. */
  | 'expire'
  /** It has expired, and somebody else is ending it; or it could not be decided. */
  | 'wait';

/** Whether the call ends as expired if it has not been started by some time, and has not been started yet. */
export function mayExpire(call: Call): call is Call & { readonly expiresAt: number } {
  return call.expiresAt !== undefined && call.startedAt === undefined;
}

/**
 * Decides whether a call may be started. Only a call that may expire, and has not been started yet, costs anything: one
 * write, by which it never expires from then on. Throws `QueueError`.
 *
 * A broker that is slow may confirm that write when the call has expired meanwhile. Then it is taken back, since nobody
 * has begun: whoever finds it, and goes on in the place of a worker that may be dead, has to write it anew first, so that
 * only one of the two gets through.
 * @param isFirst no worker can have had the call before. Otherwise, the one that was ending it may have died
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
