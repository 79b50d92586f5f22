import {
  type BodyRecord,
  bodyBucket,
  bodyChunkSubject,
  bodyRecordCodec,
  bodyRecordSubject,
  toToken,
} from '../../bodies/index.ts';
import type { BodyObject } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import { asQueueError } from '../connecting/index.ts';
import { isMessageGone } from '../error-codes.ts';
import { bodyStream, type QueueTopology } from '../layout/index.ts';
import { expectLast, hasMessage, lastMessage, MessageHeaders, retryWhileUndecided } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';

export interface BodyRecordsDependencies {
  readonly publisher: Pick<Publisher, 'publish'>;
  readonly topology: Pick<QueueTopology, 'manager'>;
}

/** The record of a body as it is stored. */
export interface StoredBody {
  readonly record: BodyRecord;
  readonly sequence: number;
}

/** Size of the chunks: the default of NATS' object store. */
export const chunkBytes = 128 * 1024;

/** Reads and changes the records of bodies. Two processes never both succeed in changing the same record. */
export class BodyRecords {
  readonly #deps: BodyRecordsDependencies;

  constructor(deps: BodyRecordsDependencies) {
    this.#deps = deps;
  }

  /** Undefined if there is none, or it is not ours. Throws `QueueError`. */
  async find(id: string): Promise<StoredBody | undefined> {
    const message = await lastMessage(this.#deps.topology.manager, bodyStream, bodyRecordSubject(id), {
      size: 'small',
    });
    const record = message && bodyRecordCodec.decode(message.header.get(bodyRecordCodec.header));
    return message === undefined || record === undefined ? undefined : { record, sequence: message.seq };
  }

  /** Whether it has a record, readable or not. Throws `QueueError`. */
  isThere(id: string): Promise<boolean> {
    return hasMessage(this.#deps.topology.manager, bodyStream, bodyRecordSubject(id));
  }

  /**
   * Replaces the record at `after`; 0 if there is none. `conflict` means that it has changed meanwhile. An answer that got
   * lost is looked for, since the next change depends on it. Never throws.
   */
  async put(id: string, record: BodyRecord, after: number): Promise<PublishResult> {
    const subject = bodyRecordSubject(id);
    const headers = new MessageHeaders();
    headers.set(bodyRecordCodec.header, bodyRecordCodec.encode(record));
    headers.set('Nats-Rollup', 'sub');
    expectLast(headers, subject, after);
    const body = Buffer.from(JSON.stringify(toObjectInfo(id, record)));
    return retryWhileUndecided(() => this.#deps.publisher.publish({ subject, headers, body }));
  }

  /**
   * Removes a body, if its record is still the one at `sequence`. False if another process was first. The removal of the
   * record decides, and needs no room in a store that is full. Throws `QueueError`: then chunks may be left to the sweeper.
   */
  async remove(id: string, sequence: number): Promise<boolean> {
    try {
      await this.#deps.topology.manager.streams.deleteMessage(bodyStream, sequence, false);
    } catch (error) {
      if (isMessageGone(error)) {
        return false;
      }
      throw asQueueError(error, 'a stored body cannot be removed');
    }
    await this.purge(id);
    return true;
  }

  /** Removes the chunks of a body that has no record any more. Throws `QueueError`. */
  async purge(id: string): Promise<void> {
    try {
      await this.#deps.topology.manager.streams.purge(bodyStream, { filter: bodyChunkSubject(id) });
    } catch (error) {
      throw asQueueError(error, 'the chunks of a removed body cannot be removed');
    }
  }
}

/** The record as tools for NATS' object store read it (NATS ADR-20): unfinished objects count as deleted. */
function toObjectInfo(id: string, record: BodyRecord): object {
  const object = 'object' in record ? record.object : undefined;
  return {
    name: id,
    bucket: bodyBucket,
    nuid: toToken(id),
    options: { max_chunk_size: chunkBytes },
    size: object?.length ?? 0,
    chunks: Math.ceil((object?.length ?? 0) / chunkBytes),
    mtime: new Date().toISOString(),
    ...(object === undefined ? { deleted: true } : { digest: toDigest(object) }),
  };
}

/** With padding, as the object store has it. */
function toDigest({ sha256 }: BodyObject): string {
  return `SHA-256=${sha256}=`;
}
