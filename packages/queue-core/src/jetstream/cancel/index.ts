// Cancels single calls and purges whole queues.

export { CallCanceller, type CancelResult, type HoldBody } from './call-canceller.ts';
export { createCallControl } from './call-control.ts';
export { CallPurge, type PurgeTarget } from './call-purge.ts';
export type { CancelSweeper } from './cancel-sweeper.ts';
export type { ChainCanceller } from './chain-canceller.ts';
