// The calls that this worker runs, and their leases.

export { LeaseRenewer } from './lease-renewer.ts';
export { type RunningAttempt, RunningCalls } from './running-calls.ts';
