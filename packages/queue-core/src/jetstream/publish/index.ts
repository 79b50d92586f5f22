// Publishes messages, alone and in batches, and matches each PubAck to its message.

export { AtomicPublisher } from './atomic-publisher.ts';
export { createGroupCommit } from './create-group-commit.ts';
export { type Outgoing, Publisher, type PublisherOptions } from './publisher.ts';
export { readSyncMode } from './sync-mode.ts';
