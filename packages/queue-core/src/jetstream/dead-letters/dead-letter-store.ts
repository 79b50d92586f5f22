import type { StoredMsg } from '@nats-io/jetstream';
import { type BodyObject, type CallAddress, decodeCall, isNamePart } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import { type NamesOf, onlyName } from '../../functions/index.ts';
import { callbackTaskCodec, type DeadLetter, type DeadLetterReason, deadLetterFilter } from '../../records/index.ts';
import type { BodyStore } from '../bodies/index.ts';
import { asQueueError, type Broker } from '../connecting/index.ts';
import { deadLetterStream, type QueueTopology } from '../layout/index.ts';
import { lastMessage } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';
import { valueWithin } from '../time-limit.ts';
import { BulkReplay, type BulkReplayResult } from './dead-letter-bulk.ts';
import { type StoredDeadLetter, toStoredDeadLetter } from './dead-letter-message.ts';
import {
  DeadLetterReplayer,
  type LookupFunction,
  type ReplayerDependencies,
  type ReplayResult,
} from './dead-letter-replayer.ts';
import { type DeadLetterPage, scanDeadLetters } from './dead-letter-scan.ts';

/** Selects dead letters; an omitted field matches all. Malformed names throw a `TypeError` (P7). */
export interface DeadLetterQuery {
  /** `NAME` or `NAME.NAMESPACE`. */
  readonly function?: string | undefined;
  readonly queue?: string | undefined;
  readonly reason?: DeadLetterReason | undefined;
  readonly kind?: DeadLetter['kind'] | undefined;
}

export interface PageOptions {
  /** Most dead letters to read or to replay. */
  readonly limit: number;
  /** First sequence: `next` of the previous page. Default 1. */
  readonly from?: number | undefined;
}

export interface DeadLetterStoreDependencies extends ReplayerDependencies {
  readonly broker: Pick<Broker, 'apiPrefix' | 'connected' | 'connection' | 'suspect' | 'createInbox'>;
  readonly topology: ReplayerDependencies['topology'] & Pick<QueueTopology, 'ready'>;
  readonly publisher: Pick<Publisher, 'publish' | 'timeoutMs'>;
  /** Bodies that are stored apart. Default: no call has one. */
  readonly bodies?: Pick<BodyStore, 'has' | 'keep' | 'removeUnused'>;
  /** Default: a function has one name. */
  readonly namesOf?: NamesOf;
}

const kinds = ['call', 'callback'] as const;

/** The dead letters, for operators: lists, reads, replays and removes them. */
export class DeadLetterStore {
  readonly #deps: DeadLetterStoreDependencies;
  readonly #replayer: DeadLetterReplayer;

  constructor(deps: DeadLetterStoreDependencies) {
    this.#deps = deps;
    this.#replayer = new DeadLetterReplayer(deps);
  }

  /** False while the broker is known to be away. */
  get available(): boolean {
    return this.#deps.broker.connected && this.#deps.topology.ready;
  }

  /**
   * A page of dead letters, oldest first. It has fewer than `limit` at the end, or if `reason` skips very many: only a
   * page without `next` is the last. Throws `QueueError`.
   */
  async list(query: DeadLetterQuery, { limit, from = 1 }: PageOptions): Promise<DeadLetterPage> {
    const scan = { subjects: this.#subjectsOf(query), reason: query.reason, limit, from };
    const { topology, broker } = this.#deps;
    return scanDeadLetters(broker, topology.manager, scan);
  }

  #subjectsOf(query: DeadLetterQuery): string[] {
    const { namesOf = onlyName } = this.#deps;
    const names = query.function === undefined ? [undefined] : namesOf(query.function);
    return names.map((name) => toSubject({ ...query, function: name }));
  }

  /**
   * The newest dead letter of each kind of one call, that of the call first. If the address has several calls, the one
   * with the newest dead letter counts. Throws `QueueError`.
   */
  async find(address: CallAddress, kind?: DeadLetter['kind']): Promise<StoredDeadLetter[]> {
    const { manager } = this.#deps.topology;
    const newest = await this.#newest(address, kind);
    if (newest === undefined) {
      return [];
    }
    const wanted = kind === undefined ? kinds : [kind];
    const messages = await Promise.all(
      wanted.map((each) =>
        lastMessage(manager, deadLetterStream, ofKind(each, newest.subject), { owner: address.owner }),
      ),
    );
    return messages.flatMap((message) => (message && toStoredDeadLetter(message)) ?? []);
  }

  #newest(address: CallAddress, kind: DeadLetter['kind'] | undefined): Promise<StoredMsg | undefined> {
    const filter = deadLetterFilter({ kind, call: address });
    return lastMessage(this.#deps.topology.manager, deadLetterStream, filter, { owner: address.owner });
  }

  /** Removes the dead letters that `find` returns; returns whether any existed. Throws `QueueError`. */
  async remove(address: CallAddress, kind?: DeadLetter['kind']): Promise<boolean> {
    const { manager } = this.#deps.topology;
    const newest = await this.#newest(address, kind);
    if (newest === undefined) {
      return false;
    }
    const bodies = this.#deps.bodies === undefined ? [] : (await this.find(address, kind)).flatMap(bodyOf);
    const filter = ofKind(kind ?? '*', newest.subject);
    try {
      const { purged } = await manager.streams.purge(deadLetterStream, { filter });
      for (const body of bodies) {
        await this.#removeBody(body);
      }
      return purged > 0;
    } catch (error) {
      throw asQueueError(error, 'dead letters cannot be removed');
    }
  }

  /** Unless the call has been replayed meanwhile. Never rejects: what it cannot remove is left to the sweeper. */
  async #removeBody(body: BodyObject): Promise<void> {
    await this.#deps.bodies?.removeUnused(body).catch(() => undefined);
  }

  /**
   * Puts a call back into the current queue of its function, with a fresh retry budget, or sends a callback again. If
   * both have a dead letter, replays the call, which will have a new result, unless `kind` says otherwise. Answers
   * within the publisher's time limit, and never throws because of the broker.
   */
  async replay(address: CallAddress, lookup: LookupFunction, kind?: DeadLetter['kind']): Promise<ReplayResult> {
    const { timeoutMs } = this.#deps.publisher;
    const newest = async (): Promise<StoredDeadLetter | undefined> => (await this.find(address, kind))[0];
    return valueWithin(this.#replay(newest, lookup), timeoutMs, () => {
      this.#deps.broker.suspect();
      return { kind: 'refused', reason: 'timeout', detail: `not done within ${timeoutMs} ms` };
    });
  }

  /**
   * Replays up to `limit` dead letters of those that exist at the beginning, oldest first; those that fail again in the
   * meantime are left alone. Never throws because of the broker.
   */
  async replayMany(query: DeadLetterQuery, page: PageOptions, lookup: LookupFunction): Promise<BulkReplayResult> {
    const bulk = new BulkReplay({
      list: (options) => this.list(query, options),
      replay: (sequence) => this.#replay(() => this.#readAt(sequence), lookup),
    });
    try {
      return await bulk.run(page, await this.#lastSequence());
    } catch (error) {
      return bulk.interrupted(toTrouble(error));
    }
  }

  async #replay(read: () => Promise<StoredDeadLetter | undefined>, lookup: LookupFunction): Promise<ReplayResult> {
    try {
      const stored = await read();
      return stored === undefined
        ? { kind: 'kept', refusal: 'dead_letter_not_found' }
        : await this.#replayer.replay(stored, lookup);
    } catch (error) {
      return toTrouble(error);
    }
  }

  async #readAt(sequence: number): Promise<StoredDeadLetter | undefined> {
    try {
      const message = await this.#deps.topology.manager.streams.getMessage(deadLetterStream, { seq: sequence });
      return message === null ? undefined : toStoredDeadLetter(message);
    } catch (error) {
      throw asQueueError(error, 'a dead letter cannot be read');
    }
  }

  async #lastSequence(): Promise<number> {
    try {
      return (await this.#deps.topology.manager.streams.info(deadLetterStream)).state.last_seq;
    } catch (error) {
      throw asQueueError(error, 'the dead letters cannot be counted');
    }
  }
}

/** The body that is stored apart; none otherwise. */
function bodyOf({ letter, original, body }: StoredDeadLetter): BodyObject | BodyObject[] {
  if (letter.kind === 'callback') {
    return callbackTaskCodec.decode(original)?.bodyObject ?? [];
  }
  const decoded = decodeCall(original, body);
  return (decoded.kind === 'call' ? decoded.call.bodyObject : undefined) ?? [];
}

/** The subject of another dead letter of the same call, even if the call's identity cannot be read. */
function ofKind(kind: DeadLetter['kind'] | '*', subject: string): string {
  return subject.replace(/^dead\.\w+/, `dead.${kind}`);
}

function toSubject(filter: DeadLetterQuery): string {
  if (filter.queue !== undefined && !isNamePart(filter.queue)) {
    throw new TypeError('a queue must match [A-Za-z0-9_-]{1,63}');
  }
  return deadLetterFilter(filter);
}

function toTrouble(error: unknown): Extract<ReplayResult, { kind: 'refused' }> {
  if (!(error instanceof QueueError)) {
    throw error;
  }
  return { kind: 'refused', reason: 'unavailable', detail: error.message };
}
