import { type PublishResult, refused } from '../../publish-result.ts';
import { settledWithin, valueWithin } from '../time-limit.ts';
import { toAtomicBatch, withoutBatch } from './atomic-batch.ts';
import type { Outgoing, Publisher } from './publisher.ts';

interface Member {
  readonly message: Outgoing;
  readonly deadline: number;
  readonly resolve: (result: PublishResult) => void;
}

type PublishesInTime = Pick<Publisher, 'publish' | 'timeoutMs'>;

/** The messages that gather for one stream while a group of it is under way. */
interface Gathering {
  readonly members: Member[];
  /** Calls `reached` when `count` members have gathered. */
  target: { readonly count: number; readonly reached: () => void } | undefined;
}

export interface GroupCommitOptions {
  /** Whether groups are worth it on this broker; called for each message. */
  readonly isWorthIt: () => boolean;
  /** Called when no answer came in time. */
  readonly onLate: () => void;
  /** Messages that may wait for a group at once; one more is `overloaded`. Default 8,192. */
  readonly maxWaiting?: number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/** Most messages of a group. nats-server takes 1,000, but blocks everything else on the stream while it stores them. */
const maxGroup = 256;
/** Fewer messages than this are sent one by one: a group of any size costs the server about as much. */
const minGroup = 8;
/**
 * After a group, the publisher waits for this part of its duration for the senders that it has just answered. Those
 * that send one message after the other are about to send the next: without the wait, groups of half the size would
 * alternate.
 */
const regatherShare = 0.25;
/** Larger messages are sent alone: their cost is the writing, not the sync, and small ones would wait for it. */
const maxGroupedBytes = 64 * 1024;

/**
 * Stores messages in groups, for a broker that writes to disk before it confirms: an atomic batch of a hundred costs it
 * little more than one message. One group of a stream is under way while the next gathers, so a message waits for two
 * groups, and one that comes alone for none.
 *
 * Each message gets the answer that it would have got alone. A group is stored whole or not at all, and one
 * confirmation counts for all of it (P1). A refusal may concern a single message, so each message of the group is then
 * sent alone and gets its own answer. If the result is unknown, because the connection broke or no answer came, nothing
 * is sent again, as for a single message.
 */
export class GroupCommit implements PublishesInTime {
  readonly #publisher: PublishesInTime;
  readonly #options: GroupCommitOptions;
  readonly #maxWaiting: number;
  readonly #now: () => number;
  /** The gathering messages, by their `group`, while a group is under way. */
  readonly #gathering = new Map<string, Gathering>();
  #waiting = 0;

  constructor(publisher: PublishesInTime, options: GroupCommitOptions) {
    const { maxWaiting = 8_192, now = performance.now.bind(performance) } = options;
    this.#publisher = publisher;
    this.#options = options;
    this.#maxWaiting = maxWaiting;
    this.#now = now;
  }

  get timeoutMs(): number {
    return this.#publisher.timeoutMs;
  }

  /** As `Publisher.publish`, to which it passes a message without a `group`. */
  publish(message: Outgoing): Promise<PublishResult> {
    const { group } = message;
    if (
      group === undefined ||
      message.body.length > maxGroupedBytes ||
      !(this.#gathering.has(group) || this.#options.isWorthIt())
    ) {
      return this.#publisher.publish(message);
    }
    if (this.#waiting >= this.#maxWaiting) {
      return Promise.resolve(refused('overloaded', `${this.#waiting} messages wait for a group`));
    }
    return new Promise((resolve) => {
      this.#waiting += 1;
      this.#gather(group, { message, deadline: this.#now() + this.#publisher.timeoutMs, resolve });
    });
  }

  #gather(group: string, member: Member): void {
    const gathering = this.#gathering.get(group);
    if (gathering === undefined) {
      const first: Gathering = { members: [member], target: undefined };
      this.#gathering.set(group, first);
      // Messages of one tick of the event loop go together.
      setImmediate(() => void this.#storeAll(group, first));
      return;
    }
    gathering.members.push(member);
    if (gathering.target !== undefined && gathering.members.length >= gathering.target.count) {
      gathering.target.reached();
    }
  }

  async #storeAll(group: string, gathering: Gathering): Promise<void> {
    while (gathering.members.length > 0) {
      const members = gathering.members.splice(0, maxGroup);
      const startedAt = this.#now();
      await this.#store(members);
      if (members.length >= minGroup) {
        await this.#regather(gathering, members.length, (this.#now() - startedAt) * regatherShare);
      }
    }
    this.#gathering.delete(group);
  }

  /** Waits briefly until as many messages have come as have just been answered. */
  async #regather(gathering: Gathering, answered: number, limitMs: number): Promise<void> {
    const count = Math.min(maxGroup, gathering.members.length + answered);
    const reached = new Promise<void>((resolve) => {
      gathering.target = { count, reached: resolve };
    });
    await settledWithin(reached, limitMs);
    gathering.target = undefined;
  }

  async #store(members: readonly Member[]): Promise<void> {
    await (members.length < minGroup
      ? Promise.all(members.map((member) => this.#storeAlone(member)))
      : this.#storeTogether(members));
  }

  async #storeTogether(members: readonly Member[]): Promise<void> {
    const [oldest] = members;
    if (oldest === undefined) {
      return;
    }
    const result = await this.#inTime(oldest, toAtomicBatch(members.map(({ message }) => message)));
    if (result.kind === 'refused' && result.reason !== 'timeout') {
      // A publisher without a connection refuses each of them without sending.
      await Promise.all(members.map((member) => this.#storeAlone(member)));
      return;
    }
    for (const [index, member] of members.entries()) {
      this.#answer(member, atPlace(result, index + 1 - members.length));
    }
  }

  async #storeAlone(member: Member): Promise<void> {
    this.#answer(member, await this.#inTime(member, withoutBatch(member.message)));
  }

  /** The time limit counts from the arrival of a message, not from when it is sent. */
  async #inTime({ deadline }: Member, message: Outgoing): Promise<PublishResult> {
    const late = (): PublishResult => {
      this.#options.onLate();
      return refused('timeout', `no answer within ${this.#publisher.timeoutMs} ms`);
    };
    const leftMs = deadline - this.#now();
    return leftMs > 0 ? await valueWithin(this.#publisher.publish(message), leftMs, late) : late();
  }

  #answer({ resolve }: Member, result: PublishResult): void {
    this.#waiting -= 1;
    resolve(result);
  }
}

/** The result for the message `offset` places away from the group's last one, from the confirmation of the last one. */
function atPlace(result: PublishResult, offset: number): PublishResult {
  return result.kind === 'stored' ? { ...result, sequence: result.sequence + offset } : result;
}
