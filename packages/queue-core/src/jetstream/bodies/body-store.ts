import type { BodyOwner, WholeBody } from '../../bodies/index.ts';
import { type BodyObject, type Call, ownerOf } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import { FairTurns } from '../../fair-turns.ts';
import type { QueueTopology } from '../layout/index.ts';
import type { Publisher } from '../publish/index.ts';
import type { BodyConnection } from './body-connection.ts';
import type { BodyPace } from './body-pace.ts';
import { BodyRecords, type StoredBody } from './body-records.ts';
import { isReferred } from './body-references.ts';
import { BodyUpload } from './body-upload.ts';
import { readBody } from './read-body.ts';
import type { ChunkBroker } from './read-chunks.ts';

export interface BodyStoreDependencies {
  readonly broker: ChunkBroker;
  readonly publisher: Pick<Publisher, 'publish'>;
  readonly topology: Pick<QueueTopology, 'manager' | 'listQueues'>;
  /** For chunks. Default: they take the same connection as everything else. */
  readonly connection?: Pick<BodyConnection, 'broker' | 'publisher'> | undefined;
  /** Of all transfers. Default: none waits. */
  readonly pace?: BodyPace | undefined;
}

/** What became of a body that is no longer needed, perhaps. */
export type RemoveResult = 'removed' | 'still needed' | 'gone';

/** Of all readers. More would not be faster, and what comes at once keeps the event loop from everything else. */
const readsAtOnce = 2;

/** More often than this, another process changes the record. */
const maxTries = 5;

/**
 * The bodies that are stored apart from their calls. A body is kept for as long as anything refers to it.
 *
 * A process that removes one marks it first, then looks for references, and removes it if the mark is still there. A process
 * that stores a reference takes the mark away afterwards (`keep`). So one of the two sees the other, however long either
 * takes, and a body that is needed stays.
 */
export class BodyStore {
  readonly #deps: BodyStoreDependencies;
  readonly #records: BodyRecords;
  readonly #reads = new FairTurns({ max: readsAtOnce });

  constructor(deps: BodyStoreDependencies) {
    this.#deps = deps;
    this.#records = new BodyRecords(deps);
  }

  /**
   * Begins to store a body. Never throws.
   * @param submitter of its call
   */
  upload(submitter?: string): ReturnType<typeof BodyUpload.begin> {
    const { connection, publisher, pace } = this.#deps;
    return BodyUpload.begin({
      records: this.#records,
      publisher: () => connection?.publisher ?? publisher,
      owner: ownerOf(submitter),
      pace,
    });
  }

  /** The body in pieces: see `readBody`. Throws `BodyError`. */
  read(object: BodyObject, submitter?: string): AsyncGenerator<Uint8Array, void, undefined> {
    const { broker, connection, pace } = this.#deps;
    const source = { broker: () => connection?.broker ?? broker, turns: this.#reads, pace };
    return readBody(source, object, ownerOf(submitter));
  }

  /** Whether the body is stored. Throws `QueueError`. */
  async has({ id }: BodyObject): Promise<boolean> {
    return (await this.#find(id)) !== undefined;
  }

  /**
   * To be called after a reference to the body was stored, and before the one that it was taken from is removed. False: the
   * body is gone. Throws `QueueError`.
   */
  async keep({ id }: BodyObject): Promise<boolean> {
    return this.#change(id, ({ state }) => state === 'stored');
  }

  /**
   * To be called before a response is stored as the body of the next step: from then on it belongs to that as well. May be
   * repeated. False: it is gone. Throws `QueueError`.
   */
  handOver({ id }: BodyObject, next: BodyOwner): Promise<boolean> {
    return this.#change(id, (record) => record.state === 'stored' && record.v === 2 && record.next !== undefined, {
      next,
    });
  }

  /** Changes the record until it is as it has to be. */
  async #change(
    id: string,
    isDone: (record: WholeBody) => boolean,
    changes: { next?: BodyOwner } = {},
  ): Promise<boolean> {
    for (let tries = 0; tries < maxTries; tries++) {
      const found = await this.#find(id);
      if (found === undefined) {
        return false;
      }
      if (isDone(found.record) || (await this.#mark(id, found, 'stored', changes)) !== undefined) {
        return true;
      }
    }
    throw new QueueError('broker', 'the record of a stored body changes too often');
  }

  /** Removes a response that nothing has ever referred to. Never rejects: what it cannot remove is left to the sweeper. */
  async discard({ id }: BodyObject): Promise<void> {
    try {
      const found = await this.#find(id);
      if (found !== undefined) {
        await this.#remove(id, found.sequence);
      }
    } catch {
      // The sweeper finds it.
    }
  }

  /** Removes the body unless anything refers to it. Throws `QueueError`. */
  removeUnused({ id }: Pick<BodyObject, 'id'>): Promise<RemoveResult> {
    return this.#removeUnused(id, false);
  }

  async #removeUnused(id: string, hasEnded: boolean): Promise<RemoveResult> {
    const found = await this.#find(id);
    if (found === undefined) {
      return 'gone';
    }
    const marked = found.record.state === 'condemned' ? found.sequence : await this.#mark(id, found, 'condemned');
    if (marked === undefined) {
      return 'still needed';
    }
    if (await isReferred(this.#deps.topology, found.record, hasEnded)) {
      await this.#mark(id, { record: found.record, sequence: marked }, 'stored');
      return 'still needed';
    }
    return this.#remove(id, marked);
  }

  /**
   * Removes the body of a call that has ended for good, so that nothing can need it: neither its message, if it is
   * delivered once more, nor a dead letter. A body that is the response of the step before stays with that. Throws
   * `QueueError`.
   */
  async removeOf({ bodyObject, generation = 0 }: Pick<Call, 'bodyObject' | 'generation'>): Promise<RemoveResult> {
    const found = bodyObject && (await this.#find(bodyObject.id));
    if (bodyObject === undefined || found === undefined) {
      return 'gone';
    }
    if (found.record.v === 2) {
      return 'still needed';
    }
    // The dead letter of a replay may still be there, and could be replayed once more.
    return generation > 0 ? this.#removeUnused(bodyObject.id, true) : this.#remove(bodyObject.id, found.sequence);
  }

  async #remove(id: string, sequence: number): Promise<RemoveResult> {
    return (await this.#records.remove(id, sequence)) ? 'removed' : 'still needed';
  }

  /** Undefined if it is not there as a whole. Throws `QueueError`. */
  async #find(id: string): Promise<StoredWhole | undefined> {
    const found = await this.#records.find(id);
    return found !== undefined && isWhole(found) ? found : undefined;
  }

  /** The sequence of the changed record; undefined if another process was first. Throws `QueueError`. */
  async #mark(
    id: string,
    { record, sequence }: StoredWhole,
    state: WholeBody['state'],
    changes: { next?: BodyOwner } = {},
  ): Promise<number | undefined> {
    const result = await this.#records.put(id, { ...record, ...changes, state }, sequence);
    if (result.kind === 'refused' && result.reason !== 'conflict') {
      throw new QueueError('broker', `the record of a stored body cannot be changed: ${result.detail}`);
    }
    return result.kind === 'stored' ? result.sequence : undefined;
  }
}

interface StoredWhole extends StoredBody {
  readonly record: WholeBody;
}

function isWhole(body: StoredBody): body is StoredWhole {
  return body.record.state === 'stored' || body.record.state === 'condemned';
}
