import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import {
  type BatchKey,
  batchEndCodec,
  batchKeyCodec,
  batchStateCodec,
  isMarkSubject,
  parseBatchSubject,
  parseKeyOwner,
} from '../../batches/index.ts';
import { QueueError } from '../../errors.ts';
import { forEachLimited } from '../../for-each-limited.ts';
import { callbackStateCodec, type Outcome, outcomeCodec, outcomeSubject } from '../../records/index.ts';
import type { BodyStore } from '../bodies/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { keptMs, outcomeStream, type QueueTopology } from '../layout/index.ts';
import {
  expectLast,
  hasMessage,
  lastMessage,
  MessageHeaders,
  type PageBroker,
  type PulledMessage,
  parseDeliveryInfo,
  readPage,
} from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';
import { findMoving, tokensOf } from './moving-calls.ts';
import { isChainOpen } from './open-chains.ts';

export interface OutcomePrunerDependencies {
  readonly broker: PageBroker;
  readonly topology: Pick<QueueTopology, 'manager'>;
  readonly publisher: Pick<Publisher, 'publish'>;
  /** How long outcomes of finished calls are kept, in milliseconds. Default: as the stream says. */
  readonly keptMs?: number;
  /** Removes the responses that are stored apart. Default: the sweeper does. */
  readonly bodies?: Pick<BodyStore, 'removeUnused'>;
  /** Says for one round what of batches is kept. Default: nothing. */
  readonly batches?: () => BatchKeeper;
}

/** See `BatchRetention`. */
interface BatchKeeper {
  keeps(of: BatchKey, now: number, keptMs: number): Promise<{ readonly calls: boolean; readonly records: boolean }>;
}

/** Decides about the batches of a page. */
type KeepsBatch = (of: BatchKey, what: 'calls' | 'records') => Promise<boolean>;

/** The result of one round. */
export interface Pruned {
  readonly forgotten: number;
  /** Stored again, because their calls still have messages. */
  readonly kept: number;
}

/** A record of the stream that is old enough to be removed. */
interface OldRecord {
  readonly sequence: number;
  readonly subject: string;
  /** Undefined for the state of a callback, and for an unreadable record. */
  readonly outcome: Outcome | undefined;
  /** For a record of a batch; otherwise undefined. */
  readonly batch: BatchKey | undefined;
}

/** The facts about a page. */
interface Staying {
  /** Calls whose outcomes stay. */
  readonly moving: ReadonlySet<string>;
  /** Callback states whose outcomes go. */
  readonly gone: ReadonlySet<string>;
  readonly keepsBatch: KeepsBatch;
}

/** All that a record can have beside its body. */
const codecs = [outcomeCodec, callbackStateCodec, batchStateCodec, batchEndCodec, batchKeyCodec];
/** Records of a page. The server answers no more than 1,024 subjects at once. */
const pageSize = 200;
/** Bodies that are removed at once. */
const bodiesAtOnce = 4;
/** Most pages of a round, so that each round reads the retention again. */
const maxPages = 50;

/**
 * Removes old outcomes of finished calls. An outcome keeps its call from running again, so it stays as long as any
 * message of its call exists: it is stored again, at the end of the stream, and then everything up to the last examined
 * record is removed at once (ADR 38).
 *
 * Safe in many processes at once: a call without messages never gets one again.
 */
export class OutcomePruner {
  readonly #deps: OutcomePrunerDependencies;

  constructor(deps: OutcomePrunerDependencies) {
    this.#deps = deps;
  }

  /** Runs one round. Throws `QueueError`; by then only fully examined pages are removed. */
  async prune(): Promise<Pruned> {
    let forgotten = 0;
    let kept = 0;
    const keeper = this.#deps.batches?.();
    const keepsBatch =
      (info: StreamInfo): KeepsBatch =>
      async (of, what) =>
        keeper !== undefined && (await keeper.keeps(of, brokerTime(info), this.#deps.keptMs ?? keptMs(info)))[what];
    for (let page = 0; page < maxPages; page++) {
      const info = await this.#info();
      const old = await this.#readOld(info);
      const last = old.at(-1);
      if (last === undefined) {
        break;
      }
      const stay = await this.#findStaying(old, keepsBatch(info));
      for (const record of stay) {
        await this.#storeAgain(record);
      }
      await this.#removeUpTo(last.sequence);
      await this.#removeBodies(old, stay);
      kept += stay.length;
      forgotten += old.length - stay.length;
      if (old.length < pageSize) {
        break;
      }
    }
    return { forgotten, kept };
  }

  async #info(): Promise<StreamInfo> {
    try {
      return await this.#manager.streams.info(outcomeStream);
    } catch (error) {
      throw asQueueError(error, 'the age of the outcomes cannot be read');
    }
  }

  get #manager(): JetStreamManager {
    return this.#deps.topology.manager;
  }

  /** The oldest records, up to the first that is young. By the broker's clock alone. */
  async #readOld(info: StreamInfo): Promise<OldRecord[]> {
    const bound = brokerTime(info) - (this.#deps.keptMs ?? keptMs(info));
    if (info.state.messages === 0 || Date.parse(info.state.first_ts) > bound) {
      return [];
    }
    const range = { stream: outcomeStream, from: info.state.first_seq };
    const records = await readPage(this.#deps.broker, this.#manager, range, (reader) => reader.read(pageSize));
    const young = records.findIndex(({ message }) => storedAtMs(message.reply) > bound);
    return (young < 0 ? records : records.slice(0, young)).map(toRecord);
  }

  /**
   * The records to keep: outcomes of calls that still have messages, or whose chain or batch has not ended, callback
   * states whose outcome stays or is newer, and records of batches.
   */
  async #findStaying(old: readonly OldRecord[], keepsBatch: KeepsBatch): Promise<OldRecord[]> {
    const ends = old.flatMap(({ outcome }) => outcome ?? []);
    const moving = new Set(await findMoving(this.#manager, ends));
    for (const end of ends) {
      if (!moving.has(tokensOf(end)) && (await this.#isPartOfMore(end, keepsBatch))) {
        moving.add(tokensOf(end));
      }
    }
    const gone = new Set(
      ends.filter((end) => !moving.has(tokensOf(end))).map((end) => `${outcomeSubject(end)}.callback`),
    );
    const stay: OldRecord[] = [];
    for (const record of old) {
      if (await this.#stays(record, { moving, gone, keepsBatch })) {
        stay.push(record);
      }
    }
    return stay;
  }

  async #stays(record: OldRecord, { moving, gone, keepsBatch }: Staying): Promise<boolean> {
    const { outcome, batch, subject } = record;
    if (outcome !== undefined) {
      return moving.has(tokensOf(outcome));
    }
    return batch === undefined
      ? await this.#hasEnd(record, gone)
      : await keepsBatch(batch, isMarkSubject(subject) ? 'calls' : 'records');
  }

  async #isPartOfMore(end: Outcome, keepsBatch: KeepsBatch): Promise<boolean> {
    const { batch, submitter } = end;
    const isOfBatch = batch !== undefined && (await keepsBatch({ batchId: batch.id, submitter }, 'calls'));
    return isOfBatch || (await isChainOpen(this.#manager, end));
  }

  /** Whether the outcome that a callback state belongs to exists and is not about to be removed. */
  async #hasEnd({ subject }: OldRecord, gone: ReadonlySet<string>): Promise<boolean> {
    const end = subject.endsWith('.callback') ? subject.slice(0, -'.callback'.length) : undefined;
    return end !== undefined && !gone.has(subject) && (await hasMessage(this.#manager, outcomeStream, end));
  }

  /** Stores a record again, at the end of the stream, unless another process has done so or has stored a newer one. */
  async #storeAgain({ subject, sequence }: OldRecord): Promise<void> {
    const message = await lastMessage(this.#manager, outcomeStream, subject);
    if (message === undefined || message.seq !== sequence) {
      return;
    }
    const headers = new MessageHeaders();
    for (const { header } of codecs) {
      const value = message.header.get(header);
      if (value !== '') {
        headers.set(header, value);
      }
    }
    expectLast(headers, subject, sequence);
    const result = await this.#deps.publisher.publish({ subject, headers, body: message.data });
    if (result.kind === 'refused' && result.reason !== 'conflict') {
      throw new QueueError('broker', `the outcome of an active call cannot be stored again: ${result.detail}`);
    }
  }

  /** Responses that are stored apart, unless something else refers to them. What fails is left to the sweeper. */
  async #removeBodies(old: readonly OldRecord[], stay: readonly OldRecord[]): Promise<void> {
    const { bodies } = this.#deps;
    const staying = new Set(stay);
    const gone = old.flatMap((record) => (staying.has(record) ? [] : (record.outcome?.bodyObject ?? [])));
    await forEachLimited(bodies === undefined ? [] : gone, bodiesAtOnce, async (body) => {
      await bodies?.removeUnused(body).catch(() => undefined);
    });
  }

  async #removeUpTo(sequence: number): Promise<void> {
    try {
      await this.#manager.streams.purge(outcomeStream, { seq: sequence + 1 });
    } catch (error) {
      throw asQueueError(error, 'old outcomes cannot be removed');
    }
  }
}

/** The broker's time. Its API returns it with each answer; without it nothing is old. */
function brokerTime({ ts }: StreamInfo): number {
  const now = Date.parse(ts ?? '');
  return Number.isNaN(now) ? Number.NEGATIVE_INFINITY : now;
}

function storedAtMs(reply: string | undefined): number {
  return parseDeliveryInfo(reply ?? '')?.storedAtMs ?? Number.POSITIVE_INFINITY;
}

function toRecord({ message, sequence }: PulledMessage): OldRecord {
  const outcome = outcomeCodec.decode(message.headers?.get(outcomeCodec.header) ?? '');
  return { sequence, subject: message.subject, outcome, batch: batchOf(message) };
}

/** The batch that a record is about. The subject of a key has its hash instead of the batch. */
function batchOf({ subject, headers }: PulledMessage['message']): BatchKey | undefined {
  const key = batchKeyCodec.decode(headers?.get(batchKeyCodec.header) ?? '');
  return key === undefined ? parseBatchSubject(subject) : { batchId: key.batchId, ...parseKeyOwner(subject) };
}
