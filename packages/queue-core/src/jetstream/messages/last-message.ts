import type { JetStreamManager, MsgRequest, StoredMsg } from '@nats-io/jetstream';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import { inTurn, type ReadOptions } from './read-turns.ts';

/**
 * The newest message of a subject, which may have wildcards; undefined if none exists. Asks the stream's leader, since
 * a follower may be behind. Throws `QueueError`.
 */
export function lastMessage(
  manager: JetStreamManager,
  stream: string,
  subject: string,
  options: ReadOptions = {},
): Promise<StoredMsg | undefined> {
  const problem = `the last message of a subject of ${stream} cannot be read`;
  return fromLeader(manager, stream, { last_by_subj: subject }, { ...options, problem });
}

/**
 * Whether there is a message of a subject, which may have wildcards. It asks the leader for what it has, and no message is
 * sent, however large it is. Throws `QueueError`.
 */
export async function hasMessage(
  manager: JetStreamManager,
  stream: string,
  subject: string,
  options: Pick<ReadOptions, 'owner'> = {},
): Promise<boolean> {
  const look = () => manager.streams.info(stream, { subjects_filter: subject });
  try {
    const { state } = await inTurn(manager, look, { ...options, size: 'small' });
    return Object.keys(state.subjects ?? {}).length > 0;
  } catch (error) {
    throw asQueueError(error, `it cannot be seen what ${stream} has of a subject`);
  }
}

/**
 * The message at a sequence of the stream; undefined if it no longer exists. Asks a replica first, which may be a
 * little behind: it sends the body as it is, while the leader sends it as text within JSON. Throws `QueueError`.
 */
export async function messageAt(
  manager: JetStreamManager,
  stream: string,
  sequence: number,
  options: Pick<ReadOptions, 'owner'> = {},
): Promise<StoredMsg | undefined> {
  try {
    const query = { seq: sequence };
    const read = async () =>
      (await manager.direct.getMessage(stream, query)) ?? (await manager.streams.getMessage(stream, query));
    return (await inTurn(manager, read, options)) ?? undefined;
  } catch (error) {
    if (isApiError(error, 'noMessageFound')) {
      return undefined;
    }
    throw asQueueError(error, `a message of ${stream} cannot be read`);
  }
}

/**
 * The first message of a subject, which may have wildcards, at or after a sequence of the stream; undefined if none
 * exists. Any replica may answer, and be a little behind. Throws `QueueError`.
 */
export async function nextMessage(
  manager: JetStreamManager,
  stream: string,
  subject: string,
  sequence: number,
): Promise<StoredMsg | undefined> {
  try {
    return (await manager.direct.getMessage(stream, { seq: sequence, next_by_subj: subject })) ?? undefined;
  } catch (error) {
    throw asQueueError(error, `the next message of a subject of ${stream} cannot be read`);
  }
}

/**
 * As `nextMessage`, but asks the stream's leader, which has all that is stored. Throws `QueueError`.
 */
export function nextOfLeader(
  manager: JetStreamManager,
  stream: string,
  subject: string,
  sequence: number,
  options: ReadOptions = {},
): Promise<StoredMsg | undefined> {
  // The client's type has it for direct reads alone; the leader takes it as well.
  const query = { seq: sequence, next_by_subj: subject } as MsgRequest;
  const problem = `the next message of a subject of ${stream} cannot be read`;
  return fromLeader(manager, stream, query, { ...options, problem });
}

/**
 * How many messages a subject has, which may have wildcards. The broker counts, and sends one of them. Any replica may
 * answer, and be a little behind. Throws `QueueError`.
 */
export async function countMessages(manager: JetStreamManager, stream: string, subject: string): Promise<number> {
  const count = async (): Promise<number> => {
    for await (const message of await manager.direct.getBatch(stream, { seq: 1, batch: 1, next_by_subj: subject })) {
      // The client's type has it for messages of direct reads alone: how many follow.
      return 1 + ('pending' in message && typeof message.pending === 'number' ? Math.max(0, message.pending) : 0);
    }
    return 0;
  };
  try {
    return await inTurn(manager, count);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 404) {
      return 0;
    }
    throw asQueueError(error, `the messages of a subject of ${stream} cannot be counted`);
  }
}

async function fromLeader(
  manager: JetStreamManager,
  stream: string,
  query: MsgRequest,
  { problem, ...options }: ReadOptions & { readonly problem: string },
): Promise<StoredMsg | undefined> {
  try {
    return (await inTurn(manager, () => manager.streams.getMessage(stream, query), options)) ?? undefined;
  } catch (error) {
    if (isApiError(error, 'noMessageFound')) {
      return undefined;
    }
    throw asQueueError(error, problem);
  }
}
