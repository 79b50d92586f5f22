// The calls that this worker runs, their leases, and what becomes of them at a stop.

export { buildRunningCalls } from './build-running-calls.ts';
export { createLeaseRenewer } from './create-lease-renewer.ts';
export { createInFlight } from './in-flight.ts';
export { LeaseRenewer } from './lease-renewer.ts';
export { type RunningAttempt, RunningCalls } from './running-calls.ts';
