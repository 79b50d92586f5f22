import { type Static, Type } from 'typebox';
import { type GenerationKey, generationTokens, identityFields } from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** A timer that fires when a call must have started. */
export const ExpiryTimer = Type.Object({
  v: Type.Literal(1),
  ...identityFields,
  generation: Type.Integer({ minimum: 0 }),
  function: Type.String(),
  queue: Type.String(),
  /** Unix time in milliseconds. */
  expiresAt: Type.Number(),
  /** By then the call is in its queue, or never will be: Unix time in milliseconds. */
  storedBy: Type.Number(),
});

export type ExpiryTimer = Static<typeof ExpiryTimer>;

export const expiryTimerCodec = createRecordCodec('Asyncfn-Expiry', ExpiryTimer);

/** Whether a call that may expire has started or expired: the first writer decides, once. */
const ExpiryClaim = Type.Object({
  v: Type.Literal(1),
  /** `started`: its first attempt has begun, and it never expires. `expired`: it is never invoked. */
  decision: Type.Union([Type.Literal('started'), Type.Literal('expired')]),
});

export type ExpiryDecision = Static<typeof ExpiryClaim>['decision'];

export const expiryClaimCodec = createRecordCodec('Asyncfn-Expiry-Claim', ExpiryClaim);

/** `expiries.<later|due|claim>.<call>.<generation>`: a timer that waits, one that has fired, and the decision. */
export function expirySubject(kind: 'later' | 'due' | 'claim' | '*', key: GenerationKey): string {
  return `expiries.${kind}.${generationTokens(key)}`;
}
