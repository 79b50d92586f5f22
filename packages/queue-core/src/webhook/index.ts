// Signs callbacks, and verifies what is signed (Standard Webhooks).

export { CallbackVerifier } from './callback-verifier.ts';
export { CallbackSigner, noCallFacts, type SignedCallback, signCallback } from './sign-callback.ts';
export { signWebhook } from './sign-webhook.ts';
export { createSigningSecret, parseSigningSecret, signingSecretType } from './signing-secret.ts';
export type { SignatureVerdict } from './webhook-verifier.ts';
