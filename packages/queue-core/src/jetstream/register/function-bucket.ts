import type { JetStreamManager } from '@nats-io/jetstream';
import { type KV, type KvEntry, Kvm } from '@nats-io/kv';
import { QueueError } from '../../errors.ts';
import { decodeEntry, encodeEntry, type FunctionEntry, type StoredFunction } from '../../functions/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import { bucketConfig, bucketKeyPrefix, bucketName, bucketStream, type StreamLayout } from '../layout/index.ts';
import { lastMessage } from '../messages/index.ts';

/** How long the bucket may take to deliver all its entries, in milliseconds. */
const completeMs = 10_000;

/** How far the bucket is. */
interface BucketState {
  /** Differs for a recreated bucket. */
  readonly identity: string;
  /** Its newest revision. */
  readonly revision: number;
}

/** The state of the bucket, as reported by the leader of its stream. */
interface BucketContent {
  readonly names: ReadonlySet<string>;
  /** Revision of the newest entry; 0 for an empty bucket. */
  readonly newest: number;
}

/** The result of a conditional write. */
export type BucketWrite = 'written' | 'conflict';

/** Receives the entries of the bucket. */
export interface BucketFollower {
  onStored(name: string, stored: StoredFunction): void;
  /** All entries that existed at the beginning have been delivered. */
  onComplete(): void;
}

/** The key-value bucket (NATS ADR-8) that holds the functions, each under its name. Methods throw `QueueError`. */
export class FunctionBucket {
  readonly identity: string;
  readonly #kv: KV;
  readonly #manager: JetStreamManager;

  private constructor(kv: KV, manager: JetStreamManager, identity: string) {
    this.#kv = kv;
    this.#manager = manager;
    this.identity = identity;
  }

  /** Opens the bucket, and creates it if it does not exist. */
  static async open(
    manager: JetStreamManager,
    layout: Pick<StreamLayout, 'ensure' | 'replicas'>,
  ): Promise<FunctionBucket> {
    await layout.ensure(manager, bucketConfig(layout.replicas));
    // Not `allow_direct`: a replica may not know yet what a write must not overlook.
    const kv = await new Kvm(manager.jetstream()).open(bucketName, { allow_direct: false });
    const { identity } = await readState(manager);
    return new FunctionBucket(kv, manager, identity);
  }

  state(): Promise<BucketState> {
    return readState(this.#manager);
  }

  /** The entry of a name; undefined if it never had one. */
  async read(name: string): Promise<StoredFunction | undefined> {
    try {
      const entry = await this.#kv.get(name);
      return entry === null ? undefined : toStored(entry);
    } catch (error) {
      throw asQueueError(error, `function ${name} cannot be read from the register`);
    }
  }

  /** Writes if `revision` is the newest of the name; 0 if it never had one. */
  write(name: string, entry: FunctionEntry, revision: number): Promise<BucketWrite> {
    return this.#unlessConflict(name, () => this.#kv.put(name, encodeEntry(entry), { previousSeq: revision }));
  }

  /** Removes if `revision` is the newest of the name. */
  remove(name: string, revision: number): Promise<BucketWrite> {
    return this.#unlessConflict(name, () => this.#kv.delete(name, { previousSeq: revision }));
  }

  /** Delivers all entries and then every change, until the signal aborts or the broker ends it. */
  async follow(follower: BucketFollower, signal: AbortSignal): Promise<void> {
    try {
      const content = new UntoldContent(await readContent(this.#manager));
      const watch = await this.#kv.watch();
      const stop = (): void => watch.stop();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) {
        stop(); // before the bucket has answered
      }
      const tooLate = setTimeout(stop, completeMs).unref();
      let complete = false;
      const look = (): void => {
        if (!complete && content.isEmpty) {
          complete = true;
          clearTimeout(tooLate);
          follower.onComplete();
        }
      };
      look();
      for await (const entry of watch) {
        follower.onStored(entry.key, toStored(entry));
        content.told(entry);
        look();
      }
      clearTimeout(tooLate);
      signal.removeEventListener('abort', stop);
      if (!complete && !signal.aborted) {
        throw new QueueError(
          'broker',
          `the register of functions was not delivered completely within ${completeMs} ms`,
        );
      }
    } catch (error) {
      throw asQueueError(error, 'the register of functions cannot be followed');
    }
  }

  async #unlessConflict(name: string, write: () => Promise<unknown>): Promise<BucketWrite> {
    try {
      await write();
      return 'written';
    } catch (error) {
      if (isApiError(error, 'streamWrongLastSequence', 'streamWrongLastSequenceUnknown')) {
        return 'conflict';
      }
      throw asQueueError(error, `function ${name} cannot be written to the register`);
    }
  }
}

/**
 * How many entries the leader has and a watch has not delivered yet. The watch itself says how much is left, but as it
 * is known to whichever replica serves it, which may be behind, and not what was there in the beginning if entries are
 * written meanwhile: an entry that is missing would pass for a function that is not paused.
 */
class UntoldContent {
  readonly #names: Set<string>;
  readonly #newest: number;
  #told = 0;

  constructor({ names, newest }: BucketContent) {
    this.#names = new Set(names);
    this.#newest = newest;
  }

  get isEmpty(): boolean {
    return this.#names.size === 0 && this.#told >= this.#newest;
  }

  told({ key, revision }: Pick<KvEntry, 'key' | 'revision'>): void {
    this.#names.delete(key);
    this.#told = Math.max(this.#told, revision);
  }
}

function toStored(entry: KvEntry): StoredFunction {
  const content = entry.operation === 'PUT' ? (decodeEntry(entry.string()) ?? 'unreadable') : 'removed';
  return { revision: entry.revision, content, storedAt: entry.created.getTime() };
}

async function readState(manager: JetStreamManager): Promise<BucketState> {
  try {
    const { created, state } = await manager.streams.info(bucketStream);
    return { identity: String(created), revision: state.last_seq };
  } catch (error) {
    throw asQueueError(error, 'the register of functions cannot be read');
  }
}

async function readContent(manager: JetStreamManager): Promise<BucketContent> {
  const { state } = await manager.streams.info(bucketStream, { subjects_filter: `${bucketKeyPrefix}>` });
  const names = Object.keys(state.subjects ?? {}).map((subject) => subject.slice(bucketKeyPrefix.length));
  const newest = await lastMessage(manager, bucketStream, `${bucketKeyPrefix}>`);
  return { names: new Set(names), newest: newest?.seq ?? 0 };
}
