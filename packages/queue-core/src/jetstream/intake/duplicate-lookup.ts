import { type CallAddress, callFilter, keySubject, queueStream } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import { anyCancelIntentSubject, anyOutcomeSubject, type KeyRecord, keyRecordCodec } from '../../records/index.ts';
import { isApiError } from '../error-codes.ts';
import { cancelStream, outcomeStream, type QueueTopology } from '../layout/index.ts';
import { hasMessage, lastMessage } from '../messages/index.ts';

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

  /**
   * The record under the hash of a key; undefined if the key is unknown. Throws `QueueError`.
   * @param owner the submitter of the key: submitters take turns
   */
  async findKey(hash: string, owner?: string): Promise<KeyRecord | undefined> {
    const { manager } = this.#topology;
    const found = await this.#inQueues((queue) =>
      lastMessage(manager, queueStream(queue), keySubject(queue, hash), { owner, size: 'small' }),
    );
    const message = found.find((each) => each !== undefined);
    return message === undefined ? undefined : keyRecordCodec.decode(message.header.get(keyRecordCodec.header));
  }

  /**
   * Whether a call of this address is active, is being cancelled, or has ended and its outcome is kept. Throws
   * `QueueError`.
   *
   * The order matters: a call leaves its queue only after its outcome or the intent to cancel it is stored, and an
   * intent is removed only after the outcome is stored. The look-up does not read the call or its result: their bodies
   * may be large.
   */
  async isKnown(address: CallAddress): Promise<boolean> {
    const { manager } = this.#topology;
    const has = (stream: string, subject: string): Promise<boolean> =>
      hasMessage(manager, stream, subject, { owner: address.owner });
    return (
      (await this.#inQueues((queue) => has(queueStream(queue), callFilter(queue, address)))).includes(true) ||
      (await has(cancelStream, anyCancelIntentSubject(address))) ||
      (await has(outcomeStream, anyOutcomeSubject(address)))
    );
  }

  /** A queue that has been removed since it was listed holds nothing. */
  async #inQueues<T>(look: (queue: string) => Promise<T>): Promise<(T | undefined)[]> {
    const queues = await this.#listQueues();
    const lookUnlessGone = (queue: string): Promise<T | undefined> =>
      look(queue).catch((error: unknown) => {
        if (error instanceof QueueError && isApiError(error.cause, 'streamNotFound')) {
          this.#queues = undefined;
          return undefined;
        }
        throw error;
      });
    return Promise.all(queues.map(lookUnlessGone));
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
