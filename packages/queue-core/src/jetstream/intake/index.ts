// Accepts calls into their queue: once for each key and id, and only while there is room.

export { type AcceptResult, CallQueue } from './call-queue.ts';
export type { AcceptOptions } from './careful-intake.ts';
export { DurabilityWatch } from './durability-watch.ts';
export { QueueGauge } from './queue-gauge.ts';
export { type NameLimits, UnregisteredNames } from './unregistered-names.ts';
