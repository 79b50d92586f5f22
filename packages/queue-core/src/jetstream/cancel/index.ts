// Cancels single calls and purges whole queues.

export { CallCanceller, type CancelResult, type HoldBody } from './call-canceller.ts';
export { CallPurge, type PurgeTarget } from './call-purge.ts';
export { CallRemover } from './call-remover.ts';
export { CancelSweeper } from './cancel-sweeper.ts';
