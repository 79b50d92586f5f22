import type { JetStreamManager } from '@nats-io/jetstream';
import type { StoredFunction } from '../../functions/index.ts';
import { type Broker, type QueueLogger, RetryLog } from '../connecting/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { FunctionBucket } from './function-bucket.ts';

export interface FollowedBucketOptions {
  readonly broker: Pick<Broker, 'onDisconnect'>;
  readonly topology: Pick<QueueTopology, 'layout' | 'onReady'>;
  readonly logger: QueueLogger;
}

/** Learns what the bucket holds. */
export interface RegisterFollower {
  /** The bucket is another one than before: the content of the former is lost. */
  onReplaced(): void;
  onStored(name: string, stored: StoredFunction): void;
  /** The bucket has been read to its end and holds these names. */
  onComplete(names: ReadonlySet<string>, isFirst: boolean): void;
}

/** Longest wait before the register is opened again. */
const maxRetryMs = 5_000;

/** The bucket of the register, opened and followed on each connection. If a message is lost, `check` notices. */
export class FollowedBucket {
  readonly #options: FollowedBucketOptions;
  readonly #follower: RegisterFollower;
  #bucket: FunctionBucket | undefined;
  #identity: string | undefined;
  /** Aborts when the connection ends. */
  #connected = new AbortController();
  /** Aborts when the bucket has to be opened and read again. */
  #following = new AbortController();
  /** Newest revision that following has brought. */
  #seen = 0;
  #behind = false;
  #complete = false;
  #current = false;

  constructor(options: FollowedBucketOptions, follower: RegisterFollower) {
    this.#options = options;
    this.#follower = follower;
    options.broker.onDisconnect(() => this.#leave());
    options.topology.onReady((manager) => void this.#join(manager));
  }

  /** Whether it has been read completely, on any connection. */
  get complete(): boolean {
    return this.#complete;
  }

  /** Whether it has been read completely on the present connection. */
  get current(): boolean {
    return this.#current;
  }

  /** Undefined until it is opened on the present connection. */
  get opened(): FunctionBucket | undefined {
    return this.#bucket;
  }

  /** Reads the bucket again if changes have been missed, twice in a row. Throws `QueueError`. */
  async check(): Promise<void> {
    const bucket = this.#bucket;
    if (bucket === undefined) {
      return;
    }
    const state = await bucket.state().catch((error: unknown) => {
      this.#following.abort(); // perhaps the bucket is gone
      throw error;
    });
    const isBehind = state.identity !== bucket.identity || state.revision > this.#seen;
    if (isBehind && this.#behind) {
      this.#following.abort();
    }
    this.#behind = isBehind && !this.#behind;
  }

  #leave(): void {
    this.#bucket = undefined;
    this.#current = false;
    this.#connected.abort();
    this.#following.abort();
  }

  /** Follows the bucket as long as the connection lasts. */
  async #join(manager: JetStreamManager): Promise<void> {
    this.#leave();
    this.#connected = new AbortController();
    const { signal } = this.#connected;
    const retries = new RetryLog(this.#options.logger, 'the register of functions is not in place yet');
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        const bucket = await FunctionBucket.open(manager, this.#options.topology.layout);
        if (signal.aborted) {
          return;
        }
        await this.#follow(bucket);
        attempt = 0;
        retries.succeeded();
      } catch (err) {
        if (!signal.aborted) {
          retries.failed(err, {});
        }
      }
      const waitMs = Math.min(maxRetryMs, 100 * 2 ** attempt);
      await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
    }
  }

  async #follow(bucket: FunctionBucket): Promise<void> {
    if (this.#identity !== undefined && this.#identity !== bucket.identity) {
      this.#options.logger.warn({}, 'the register of functions was lost and is being filled again');
      this.#follower.onReplaced();
    }
    this.#following = new AbortController();
    this.#identity = bucket.identity;
    this.#bucket = bucket;
    this.#current = false;
    this.#seen = 0;
    const names = new Set<string>();
    const follower = {
      onStored: (name: string, stored: StoredFunction): void => {
        names.add(name);
        this.#seen = Math.max(this.#seen, stored.revision);
        this.#follower.onStored(name, stored);
      },
      onComplete: (): void => {
        const isFirst = !this.#complete;
        this.#complete = true;
        this.#current = true;
        this.#follower.onComplete(names, isFirst);
      },
    };
    await bucket.follow(follower, this.#following.signal);
  }
}
