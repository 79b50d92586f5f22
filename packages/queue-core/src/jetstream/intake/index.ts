// Accepts calls into their queue: once for each key and id, and only while there is room.

export { AdmissionControl } from './admission-control.ts';
export { toCallMessage, toKeyMessage } from './call-message.ts';
export { type AcceptResult, CallQueue } from './call-queue.ts';
export type { AcceptOptions } from './conditional-enqueue.ts';
export { DurabilityWatch } from './durability-watch.ts';
export { type NameLimits, UnregisteredNames } from './unregistered-names.ts';
