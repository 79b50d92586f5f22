// Stores and reads what belongs to one call: its next attempt, outcome, callback and expiry.

export { type CallbackRecord, CallStore, type RecordedEnd, type StoredOutcome } from './call-store.ts';
export { CallbackStore } from './callback-store.ts';
export { type CancelIntent, CancelIntents, toCancelled } from './cancel-intents.ts';
export { type ClaimResult, ExpiryStore } from './expiry-store.ts';
