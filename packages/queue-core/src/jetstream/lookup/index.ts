// Finds out where calls stand and how long queues are, without a write on their way.

export { type Backlog, BacklogReader } from './backlog.ts';
export { attemptOf, CallFinder, type QueuedCall, toQueuedCall } from './call-finder.ts';
export { CallWatch, CallWatches, type WatchScope } from './call-watches.ts';
export { type FunctionLoad, type QueueCount, QueueInspector, type QueueState } from './queue-inspector.ts';
