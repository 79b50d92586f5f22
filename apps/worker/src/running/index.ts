// The calls that this worker runs, their leases, what becomes of them at a stop, and the loop that takes due work beside
// the lanes.

export { buildRunningCalls } from './build-running-calls.ts';
export { createLeaseRenewer } from './create-lease-renewer.ts';
export { createInFlight } from './in-flight.ts';
export { LeaseRenewer } from './lease-renewer.ts';
export { type RunningAttempt, RunningCalls } from './running-calls.ts';
export { WorkLoop } from './work-loop.ts';
