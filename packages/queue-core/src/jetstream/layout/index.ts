// Streams and consumers: their settings, ensuring that they exist, and how much room they have left.

export {
  findLane,
  initialAckWaitMs,
  type LaneProgress,
  type LaneState,
  laneProgress,
  type Resumption,
  wasDelivered,
} from './consumers.ts';
export { isFresh, keptMs } from './end-memory.ts';
export { type LaneTarget, QueueTopology, type TopologyOptions } from './queue-topology.ts';
export {
  bodyStream,
  bucketConfig,
  bucketKeyPrefix,
  bucketName,
  bucketStream,
  callbackStream,
  cancelStream,
  deadLetterStream,
  expiryStream,
  handoverStream,
  outcomeStream,
  rateStream,
  receiptStream,
  scheduleStream,
} from './record-streams.ts';
export { maxBodyBytes } from './server-check.ts';
export { StreamLayout } from './stream-layout.ts';
export { StreamRoom } from './stream-room.ts';
export { StreamWatch } from './stream-watch.ts';
