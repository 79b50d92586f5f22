import type { Msg } from '@nats-io/transport-node';
import { bodyChunkSubject } from '../../bodies/index.ts';
import { QueueError } from '../../errors.ts';
import type { Broker } from '../connecting/index.ts';
import { bodyStream } from '../layout/index.ts';

/** The connection that chunks are read over. */
export type ChunkBroker = Pick<Broker, 'connection' | 'connected' | 'createInbox' | 'apiPrefix'>;

/** A piece of a stored body. */
export interface Chunk {
  readonly data: Uint8Array;
  readonly sequence: number;
}

/** Which chunks to read. */
export interface ChunkRange {
  /** Of the body. */
  readonly id: string;
  /** First sequence of the stream. */
  readonly from: number;
  readonly count: number;
}

/** Longest wait for the next message of an answer, in milliseconds. */
const limitMs = 5_000;

/**
 * The next chunks of a body, in one round trip (NATS ADR-31: a batched direct get); fewer only if there are no more at the
 * replica that answers. The client's own `getBatch` keeps a subscription for each answer. Throws `QueueError`.
 */
export async function readChunks(broker: ChunkBroker, { id, from, count }: ChunkRange): Promise<readonly Chunk[]> {
  const { connection, connected, apiPrefix } = broker;
  if (connection === undefined || !connected) {
    throw new QueueError('broker', 'a stored body cannot be read without a connection');
  }
  const chunks: Chunk[] = [];
  const inbox = broker.createInbox();
  const query = { seq: from, next_by_subj: bodyChunkSubject(id), batch: count };
  let timer: NodeJS.Timeout | undefined;
  const end = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      const late = (): void => reject(new QueueError('broker', `no chunk came within ${limitMs} ms`));
      const subscription = connection.subscribe(inbox, {
        callback: (error, message) => {
          clearTimeout(timer);
          timer = setTimeout(late, limitMs);
          const part = error ?? toChunk(message);
          if (part instanceof Error) {
            reject(part);
          } else if (part === 'end') {
            resolve(chunks);
          } else {
            chunks.push(part);
          }
        },
      });
      end.signal.addEventListener('abort', () => subscription.unsubscribe());
      timer = setTimeout(late, limitMs);
      connection.publish(`${apiPrefix}.DIRECT.GET.${bodyStream}`, JSON.stringify(query), { reply: inbox });
    });
  } finally {
    clearTimeout(timer);
    end.abort();
  }
}

/** 204: the end of the answer. 404: there is no such message. */
function toChunk({ headers, data }: Msg): Chunk | 'end' | QueueError {
  if (headers?.code === 204 || headers?.code === 404) {
    return 'end';
  }
  const sequence = Number(headers?.get('Nats-Sequence'));
  return sequence > 0
    ? { data, sequence }
    : new QueueError('broker', `no chunk but ${headers?.description || 'a message'}`);
}
