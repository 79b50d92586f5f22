import { AckPolicy, DeliverPolicy, type JetStreamManager } from '@nats-io/jetstream';
import { QueueError } from '../../errors.ts';
import { asQueueError, type Broker } from '../connecting/index.ts';
import { type PulledMessage, PullReader } from './pull-reader.ts';

/** The connection with which messages are pulled. */
export type PageBroker = Pick<Broker, 'connection' | 'connected' | 'createInbox' | 'apiPrefix'>;

/** The part of a stream to read. */
export interface PageRange {
  readonly stream: string;
  /** First sequence to read. */
  readonly from: number;
  /** Subjects to read, with wildcards. Default: all. */
  readonly subjects?: string[];
}

/** The messages of a stream from one sequence to another, in their order. */
export interface MessageRange {
  readonly from: number;
  readonly to: number;
  /** Most messages of one pull. */
  readonly pull: number;
}

/** After this the broker removes the consumer if we could not. */
const idleNanos = 10_000_000_000;

/**
 * Passes a reader to `read` that has the headers of a stream's messages in their order; bodies stay at the broker. Its
 * consumer exists as long as `read` runs. Throws `QueueError`.
 */
export async function readPage<T>(
  broker: PageBroker,
  manager: JetStreamManager,
  { stream, from, subjects }: PageRange,
  read: (reader: PullReader) => Promise<T>,
): Promise<T> {
  const { connection, connected, apiPrefix } = broker;
  if (connection === undefined || !connected) {
    throw new QueueError('broker', `${stream} cannot be read without a connection`);
  }
  try {
    const consumer = await manager.consumers.add(stream, {
      ...(subjects !== undefined && { filter_subjects: subjects }),
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: from,
      ack_policy: AckPolicy.None,
      headers_only: true,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: idleNanos,
    });
    try {
      return await read(new PullReader(connection, consumer, { inbox: broker.createInbox(), apiPrefix }));
    } finally {
      await manager.consumers.delete(stream, consumer.name).catch(() => false);
    }
  } catch (error) {
    throw asQueueError(error, `the headers of ${stream} cannot be read`);
  }
}

/** Reads the headers of a range with the reader of a page, and passes on each pull. Throws `QueueError`. */
export async function readRange(
  reader: Pick<PullReader, 'read' | 'pending'>,
  { from, to, pull }: MessageRange,
  take: (messages: readonly PulledMessage[]) => void,
): Promise<void> {
  for (let next = from; next <= to && reader.pending > 0; ) {
    const messages = await reader.read(Math.min(pull, to - next + 1));
    take(messages.filter(({ sequence }) => sequence <= to));
    next = (messages.at(-1)?.sequence ?? to) + 1;
  }
}
