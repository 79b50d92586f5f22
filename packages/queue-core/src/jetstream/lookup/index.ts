// Finds the state of calls and the length of queues, without any write.

export { type Backlog, BacklogReader } from './backlog.ts';
export { attemptOf, CallFinder, type QueuedCall, toEndedCall, toQueuedCall } from './call-finder.ts';
export { scanCalls } from './call-scan.ts';
export { CallWatch, CallWatches, type WatchScope } from './call-watches.ts';
export { type FunctionLoad, type QueueCount, QueueInspector, type QueueState } from './queue-inspector.ts';
