// The connection to the broker: making it, keeping it, and saying why it fails.

export { Broker } from './broker.ts';
export { BrokerPulse, pulseMs } from './broker-pulse.ts';
export type { QueueLogger } from './queue-logger.ts';
export { RetryLog } from './retry-log.ts';
export { asQueueError } from './set-up-error.ts';
export { findSettingProblems } from './settings-files.ts';
