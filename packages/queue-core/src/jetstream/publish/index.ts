// Publishes messages, alone and in batches, and matches each PubAck to its message.

export { AtomicPublisher } from './atomic-publisher.ts';
export { createGroupCommit, groupCommitModes } from './batch-mode.ts';
export { type Outgoing, Publisher } from './publisher.ts';
