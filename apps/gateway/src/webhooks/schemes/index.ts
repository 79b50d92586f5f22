// How partners sign their webhooks: what each scheme claims in its headers, and whether that is true. Pure.

export { readBodyFacts } from './body-facts.ts';
export { type HashAlgorithm, kindOf, readClaim, signatureHeaderOf } from './claim.ts';
export { type Effort, verify } from './verify.ts';
