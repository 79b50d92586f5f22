import { AckPolicy, jetstreamManager, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

/** Creates a stream like that of a queue: file storage, and each message is removed once it is acked. */
export async function createWorkStream(natsUrl: string, name: string, subjects: string): Promise<void> {
  const connection = await connect({ servers: natsUrl });
  const manager = await jetstreamManager(connection);
  const storage = StorageType.File;
  await manager.streams.add({ name, subjects: [subjects], storage, retention: RetentionPolicy.Workqueue });
  await connection.close();
}

/** Creates the consumer that a worker takes calls from. */
export async function createWorkConsumer(natsUrl: string, stream: string, name: string): Promise<void> {
  const connection = await connect({ servers: natsUrl });
  const manager = await jetstreamManager(connection);
  await manager.consumers.add(stream, { durable_name: name, ack_policy: AckPolicy.Explicit, max_ack_pending: -1 });
  await connection.close();
}

/**
 * Removes the messages of a stream, so that measurements do not affect each other.
 * @param filter the subjects to remove. Default: all
 */
export async function purgeStream(natsUrl: string, name: string, filter?: string): Promise<void> {
  const connection = await connect({ servers: natsUrl });
  const manager = await jetstreamManager(connection);
  await manager.streams.purge(name, filter === undefined ? undefined : { filter });
  await connection.close();
}
