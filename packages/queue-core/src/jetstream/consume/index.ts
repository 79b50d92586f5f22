// Takes calls, callbacks and expiries out of their streams, and settles their deliveries.

export { CallSource, type LaneId } from './call-source.ts';
export { type CallbackDelivery, CallbackSource } from './callback-source.ts';
export { type Delivery, readHeader } from './delivery.ts';
export { type ExpiryDelivery, ExpirySource } from './expiry-source.ts';
export { Handovers } from './handovers.ts';
export { followCreatedLanes, followDeletedLanes, followPausedLanes } from './lane-advisories.ts';
export { type SourceOptions, toWorkDelivery, type WorkDelivery, WorkSource } from './work-source.ts';
