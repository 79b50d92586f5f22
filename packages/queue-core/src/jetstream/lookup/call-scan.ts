import type { JetStreamManager, MsgRequest, StoredMsg } from '@nats-io/jetstream';
import { queueStream } from '../../call/index.ts';
import { FairTurns } from '../../fair-turns.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';

/** The part of a queue to read. */
export interface ScanRange {
  readonly queue: string;
  /** Subjects to read, with wildcards. */
  readonly filter: string;
  /** First sequence to read. */
  readonly from: number;
}

/** Calls of a part. */
const partSize = 256;
/** Most bytes of their bodies: the broker sends whole messages. */
const partBytes = 16 * 1024 * 1024;
/** nats-server closes a connection for which more than 64 MiB wait (`max_pending`): two parts are read at once. */
const turnsOf = new WeakMap<JetStreamManager, FairTurns>();

/**
 * The next calls of a queue, in the order in which they are stored; none if no more exist. The broker has no consumer
 * for this, because each call of a work queue belongs to the consumer of its function. Throws `QueueError`.
 */
export async function scanCalls(manager: JetStreamManager, range: ScanRange): Promise<StoredMsg[]> {
  const turns = turnsOf.get(manager) ?? new FairTurns({ max: 2 });
  turnsOf.set(manager, turns);
  return await turns.run(async () => {
    const part = await readPart(manager, range);
    return part.length > 0 ? part : await readFromLeader(manager, range);
  });
}

/** From any replica, which may be behind and show fewer calls than exist, or none. */
async function readPart(manager: JetStreamManager, { queue, filter, from }: ScanRange): Promise<StoredMsg[]> {
  const messages: StoredMsg[] = [];
  try {
    const query = { seq: from, batch: partSize, max_bytes: partBytes, next_by_subj: filter };
    for await (const message of await manager.direct.getBatch(queueStream(queue), query)) {
      messages.push(message);
    }
  } catch (error) {
    if (!isNotFound(error)) {
      throw asQueueError(error, `the calls of queue ${queue} cannot be read`);
    }
  }
  return messages;
}

/** The next call, if there is one. */
async function readFromLeader(manager: JetStreamManager, { queue, filter, from }: ScanRange): Promise<StoredMsg[]> {
  try {
    // The client's type leaves `next_by_subj` to direct reads; the server takes it here as well.
    const query = { seq: from, next_by_subj: filter } as MsgRequest;
    const message = await manager.streams.getMessage(queueStream(queue), query);
    return message === null ? [] : [message];
  } catch (error) {
    if (isApiError(error, 'noMessageFound')) {
      return [];
    }
    throw asQueueError(error, `the calls of queue ${queue} cannot be read`);
  }
}

/** The broker's answer instead of an empty part. */
function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 404;
}
