// Asks workers about the calls that they run, and answers for them.

export { CallChangeNotifier } from './call-change-notifier.ts';
export type { Silence, StoredAttempt } from './lease-tracker.ts';
export { RunningCallClient } from './running-call-client.ts';
export { type RunningCallResponder, serveRunningCalls } from './serve-running-calls.ts';
