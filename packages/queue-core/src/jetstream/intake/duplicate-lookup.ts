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

/** How long the list of queues is taken for what it was, in milliseconds. */
const queuesMs = 2_000;

/**
 * Looks for calls and keys that exist already, in every queue: the function may have been in another one when they
 * came. The leaders of the streams are asked, since a follower may not know yet what must not be missed.
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

  /** To be called if something must exist that was not found: it may be in a queue that is newer than the list of them. */
  forgetQueues(): void {
    this.#queues = undefined;
  }

  /** What is remembered under the hash of a key; undefined where nothing is. Throws `QueueError`. */
  async findKey(hash: string): Promise<KeyRecord | undefined> {
    const message = await this.#findInQueues((queue) => keySubject(queue, hash));
    return message === undefined ? undefined : keyRecordCodec.decode(message.header.get(keyRecordCodec.header));
  }

  /**
   * Whether a call of this address is alive, is being cancelled, or has ended and its outcome is kept. Throws `QueueError`.
   *
   * The order matters: a call leaves its queue only after its outcome or the intent to cancel it is there, and an intent
   * goes only after the outcome is there.
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
      this.#queues = undefined; // perhaps one of them is gone
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
