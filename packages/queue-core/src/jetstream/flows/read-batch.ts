import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import { asQueueError } from '../connecting/index.ts';
import { type AnswerSize, inTurn, smallBytes } from '../messages/index.ts';

/** Most bytes of one answer. */
const maxBytes = { any: 4 * 1024 * 1024, small: smallBytes } as const;

interface ReadRange {
  /** The first sequence. */
  readonly from: number;
  /** Most messages, at least one. */
  readonly most: number;
  /** `small` if one message is, and a few of them are enough. Default: `any`. */
  readonly size?: AnswerSize;
}

/**
 * The next messages of a subject, which may have wildcards, in their order; none if no more exist, and sometimes fewer than
 * `most`. Any replica may answer, and be a little behind. Throws `QueueError`.
 */
export async function readBatch(
  manager: JetStreamManager,
  stream: string,
  subject: string,
  { from, most, size = 'any' }: ReadRange,
): Promise<StoredMsg[]> {
  const query = { seq: from, batch: most, max_bytes: maxBytes[size], next_by_subj: subject };
  const read = async (): Promise<StoredMsg[]> => {
    const messages: StoredMsg[] = [];
    for await (const message of await manager.direct.getBatch(stream, query)) {
      messages.push(message);
    }
    return messages;
  };
  try {
    return await inTurn(manager, read, { size });
  } catch (error) {
    if (isNotFound(error)) {
      return [];
    }
    throw asQueueError(error, `the messages of a subject of ${stream} cannot be read`);
  }
}

/** The broker's answer instead of an empty part. */
function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 404;
}
