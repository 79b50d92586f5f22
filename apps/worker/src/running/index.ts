// The calls that this worker runs, and their leases.

export { type HeldAttempt, HeldCalls } from './held-calls.ts';
export { LeaseKeeper } from './lease-keeper.ts';
