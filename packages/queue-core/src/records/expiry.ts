import { type Static, Type } from 'typebox';
import { type GenerationKey, generationTokens, identityFields } from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** Says that a call is not to be started any more; comes at that moment. */
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

/** What becomes of a call that may expire: decided once, by whoever is first. */
const ExpiryClaim = Type.Object({
  v: Type.Literal(1),
  /** `started`: its first attempt has begun, and it never expires. `expired`: it is never invoked. */
  decision: Type.Union([Type.Literal('started'), Type.Literal('expired')]),
});

export type ExpiryDecision = Static<typeof ExpiryClaim>['decision'];

export const expiryClaimCodec = createRecordCodec('Asyncfn-Expiry-Claim', ExpiryClaim);

/** `expiries.<later|due|claim>.<call>.<generation>`: a word that waits, one whose time has come, and the decision. */
export function expirySubject(kind: 'later' | 'due' | 'claim' | '*', key: GenerationKey): string {
  return `expiries.${kind}.${generationTokens(key)}`;
}
