import type { StoredMsg } from '@nats-io/jetstream';
import { type CallAddress, callFilter, keySubject, queueStream } from '../../call/index.ts';
import { anyCancelIntentSubject, anyOutcomeSubject, type KeyRecord, keyRecordCodec } from '../../records/index.ts';
import { cancelStream, outcomeStream, type QueueTopology } from '../layout/index.ts';
import { lastMessage } from '../messages/index.ts';

export interface DuplicateLookupDependencies {
  readonly topology: Pick<QueueTopology, 'manager' | 'listQueues'>;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** How long the list of queues is reused, in milliseconds. */
const queuesMs = 2_000;

/**
 * Looks for existing calls and keys in every queue: their function may have been in another queue when they came. Asks
 * the leaders of the streams, since a follower may be behind.
 */
export class DuplicateLookup {
  readonly #topology: DuplicateLookupDependencies['topology'];
  readonly #now: () => number;
  #queues: Promise<string[]> | undefined;
  #queuesUntil = 0;

  constructor({ topology, now = performance.now.bind(performance) }: DuplicateLookupDependencies) {
    this.#topology = topology;
    this.#now = now;
  }

  /** Call this if something that must exist was not found: it may be in a queue that is newer than the list. */
  forgetQueues(): void {
    this.#queues = undefined;
  }

  /** The record stored under the hash of a key; undefined if none is. Throws `QueueError`. */
  async findKey(hash: string): Promise<KeyRecord | undefined> {
    const message = await this.#findInQueues((queue) => keySubject(queue, hash));
    return message === undefined ? undefined : keyRecordCodec.decode(message.header.get(keyRecordCodec.header));
  }

  /**
   * Whether a call of this address is active, is being cancelled, or has ended and its outcome is kept. Throws
   * `QueueError`.
   *
   * The order matters: a call leaves its queue only after its outcome or its cancel intent is stored, and an intent is
   * removed only after the outcome is stored.
   */
  async isKnown(address: CallAddress): Promise<boolean> {
    const { manager } = this.#topology;
    return (
      (await this.#findInQueues((queue) => callFilter(queue, address))) !== undefined ||
      (await lastMessage(manager, cancelStream, anyCancelIntentSubject(address))) !== undefined ||
      (await lastMessage(manager, outcomeStream, anyOutcomeSubject(address))) !== undefined
    );
  }

  async #findInQueues(subjectIn: (queue: string) => string): Promise<StoredMsg | undefined> {
    const { manager } = this.#topology;
    const queues = await this.#listQueues();
    const lookUps = queues.map((queue) => lastMessage(manager, queueStream(queue), subjectIn(queue)));
    try {
      return (await Promise.all(lookUps)).find((message) => message !== undefined);
    } catch (error) {
      this.#queues = undefined; // one of them may be gone
      throw error;
    }
  }

  #listQueues(): Promise<string[]> {
    if (this.#queues === undefined || this.#now() >= this.#queuesUntil) {
      this.#queuesUntil = this.#now() + queuesMs;
      this.#queues = this.#topology.listQueues();
      this.#queues.catch(() => {
        this.#queues = undefined;
      });
    }
    return this.#queues;
  }
}
