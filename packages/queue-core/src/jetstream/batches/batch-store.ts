import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import {
  anyBatchStateSubject,
  type BatchCounts,
  type BatchEnd,
  type BatchItem,
  type BatchKey,
  type BatchState,
  batchEndCodec,
  batchEndSubject,
  batchItemsSubject,
  batchKeyCodec,
  batchKeySubject,
  batchStateCodec,
  batchStateSubject,
  decodeItems,
  type EndStatus,
  encodeItems,
  endStatuses,
  hashBatchKey,
  itemsOfPart,
  marksFilter,
} from '../../batches/index.ts';
import { emptyBody, ownerOf } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import { asQueueError } from '../connecting/index.ts';
import { outcomeStream, type QueueTopology } from '../layout/index.ts';
import { type AnswerSize, expectLast, lastMessage, MessageHeaders } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';

/** The state of a batch as it is stored. */
export interface StoredBatch {
  readonly state: BatchState;
  /** Its sequence in the stream, to pass to `putState`. */
  readonly sequence: number;
  /** When it was stored: Unix time in milliseconds. */
  readonly storedAtMs: number;
}

/** A batch whose ends are counted. */
type CountedBatch = BatchKey & Partial<Pick<BatchState, 'parts' | 'resumed'>>;

/**
 * Stores and reads the records of batches. The marks of ended calls are stored with their outcomes: see `CallStore`.
 * Methods that publish never throw.
 */
export class BatchStore {
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #topology: Pick<QueueTopology, 'manager'>;

  constructor(publisher: Pick<Publisher, 'publish'>, topology: Pick<QueueTopology, 'manager'>) {
    this.#publisher = publisher;
    this.#topology = topology;
  }

  /** @param after sequence of the state that this one replaces; 0 for none. `conflict`: it is not the newest. */
  putState(state: BatchState, after: number): Promise<PublishResult> {
    return this.#put(batchStateSubject(state), [batchStateCodec.header, batchStateCodec.encode(state)], after);
  }

  /** The newest state; undefined if none is stored. Throws `QueueError`. */
  findState(of: BatchKey): Promise<StoredBatch | undefined> {
    return this.#findState(batchStateSubject(of), of);
  }

  /**
   * The state of the newest batch that has an id, of any submitter. Throws `QueueError`.
   * @param asker who asks
   */
  findAnyState(batchId: string, asker: Pick<BatchKey, 'submitter'>): Promise<StoredBatch | undefined> {
    return this.#findState(anyBatchStateSubject(batchId), asker);
  }

  async #findState(subject: string, of: Pick<BatchKey, 'submitter'>): Promise<StoredBatch | undefined> {
    const message = await this.#last(subject, of, 'small');
    const state = message && batchStateCodec.decode(message.header.get(batchStateCodec.header));
    return message && state && { state, sequence: message.seq, storedAtMs: message.time.getTime() };
  }

  /** `conflict`: the batch has ended before, and this end does not count. */
  recordEnd(end: BatchEnd): Promise<PublishResult> {
    return this.#put(batchEndSubject(end), [batchEndCodec.header, batchEndCodec.encode(end)], 0);
  }

  /** The end; undefined before the batch has ended. Throws `QueueError`. */
  async findEnd(of: BatchKey): Promise<BatchEnd | undefined> {
    const message = await this.#last(batchEndSubject(of), of, 'small');
    return message && batchEndCodec.decode(message.header.get(batchEndCodec.header));
  }

  /** Stores the batch of an `Idempotency-Key`. `conflict`: the key is known. */
  putKey(of: BatchKey, key: string): Promise<PublishResult> {
    const record = batchKeyCodec.encode({ v: 1, batchId: of.batchId });
    return this.#put(batchKeySubject(hashBatchKey(key), of.submitter), [batchKeyCodec.header, record], 0);
  }

  /** The id of the batch that came with a key; undefined for none. Throws `QueueError`. */
  async findKey(submitter: string | undefined, key: string): Promise<string | undefined> {
    const message = await this.#last(batchKeySubject(hashBatchKey(key), submitter), { submitter }, 'small');
    return message && batchKeyCodec.decode(message.header.get(batchKeyCodec.header))?.batchId;
  }

  /** Stores a part of the items, and replaces that of an earlier try. */
  putItems(of: BatchKey, part: number, items: readonly BatchItem[]): Promise<PublishResult> {
    const headers = new MessageHeaders();
    return this.#publisher.publish({ subject: batchItemsSubject(of, part), headers, body: encodeItems(items) });
  }

  /** A part of the items; undefined if it is not stored. Throws `QueueError`. */
  async readItems(of: BatchKey, part: number): Promise<BatchItem[] | undefined> {
    const message = await this.#last(batchItemsSubject(of, part), of, 'any');
    return message && decodeItems(message.data);
  }

  /**
   * How many calls of the batch have ended. Any replica answers, and one that is behind counts fewer. Throws
   * `QueueError`.
   */
  async countEnds(of: CountedBatch): Promise<BatchCounts> {
    if (of.resumed === true) {
      return await this.#countAccepted(of);
    }
    const count = (status: EndStatus): Promise<number> => countMessages(this.#manager, marksFilter(of, status));
    const [succeeded = 0, failed = 0, cancelled = 0, expired = 0] = await Promise.all(endStatuses.map(count));
    return { succeeded, failed, cancelled, expired };
  }

  /** As `countEnds`, by the stream's leader; undefined if the stream has one replica, which `countEnds` has asked. */
  async countEndsAtLeader(of: CountedBatch): Promise<BatchCounts | undefined> {
    if (of.resumed === true || (await this.#info()).config.num_replicas === 1) {
      return undefined;
    }
    return sum((await this.listEnds(of)).values());
  }

  /** Counts the ends of accepted calls alone, by the stream's leader. */
  async #countAccepted({ parts = 0, ...of }: CountedBatch): Promise<BatchCounts> {
    const ends = await this.listEnds(of);
    const accepted: EndStatus[] = [];
    for (let part = 0; part < parts; part++) {
      for (const [at, item] of ((await this.readItems(of, part)) ?? []).entries()) {
        const end = ends.get(part * itemsOfPart + at);
        if (end !== undefined && !('problem' in item)) {
          accepted.push(end);
        }
      }
    }
    return sum(accepted);
  }

  /** How each call has ended that has, by its index, as the stream's leader knows it. Throws `QueueError`. */
  async listEnds(of: BatchKey): Promise<ReadonlyMap<number, EndStatus>> {
    const ends = new Map<number, EndStatus>();
    try {
      for (const status of endStatuses) {
        const filter = marksFilter(of, status);
        const { state } = await this.#manager.streams.info(outcomeStream, { subjects_filter: filter });
        for (const subject of Object.keys(state.subjects ?? {})) {
          ends.set(Number(subject.slice(filter.length - 1)), status);
        }
      }
    } catch (error) {
      throw asQueueError(error, 'the ends of a batch cannot be listed');
    }
    return ends;
  }

  async #info(): Promise<StreamInfo> {
    try {
      return await this.#manager.streams.info(outcomeStream);
    } catch (error) {
      throw asQueueError(error, 'the stream of the outcomes cannot be read');
    }
  }

  get #manager(): JetStreamManager {
    return this.#topology.manager;
  }

  #last(subject: string, { submitter }: Pick<BatchKey, 'submitter'>, size: AnswerSize) {
    return lastMessage(this.#manager, outcomeStream, subject, { owner: ownerOf(submitter), size });
  }

  #put(subject: string, [name, value]: readonly [string, string], after: number): Promise<PublishResult> {
    const headers = new MessageHeaders();
    headers.set(name, value);
    expectLast(headers, subject, after);
    return this.#publisher.publish({ subject, headers, body: emptyBody });
  }
}

function sum(ends: Iterable<EndStatus>): BatchCounts {
  const counts = { succeeded: 0, failed: 0, cancelled: 0, expired: 0 };
  for (const status of ends) {
    counts[status] += 1;
  }
  return counts;
}

/** The status of a read without a result (NATS ADR-31). */
const noMessages = 404;

/** The broker counts what follows the first message in its index of subjects: it reads no other message. */
async function countMessages(manager: JetStreamManager, filter: string): Promise<number> {
  try {
    for await (const { pending } of await manager.direct.getBatch(outcomeStream, {
      seq: 1,
      batch: 1,
      next_by_subj: filter,
    })) {
      return 1 + pending;
    }
    return 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === noMessages) {
      return 0;
    }
    throw asQueueError(error, 'the ends of a batch cannot be counted');
  }
}
