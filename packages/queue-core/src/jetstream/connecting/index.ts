// The connection to the broker: makes it, keeps it, and says why it fails.

export { Broker, type BrokerOptions } from './broker.ts';
export { BrokerPulse, pulseMs } from './broker-pulse.ts';
export type { QueueLogger } from './queue-logger.ts';
export { RetryLog } from './retry-log.ts';
export { asQueueError } from './set-up-error.ts';
export { findSettingProblems } from './settings-files.ts';
