import { setTimeout as sleep } from 'node:timers/promises';
import { type PublishResult, type RefusalReason, refused } from '../../publish-result.ts';
import { maxBatchMessages, toAtomicBatch, withoutBatch } from './atomic-batch.ts';
import type { Outgoing, Publisher } from './publisher.ts';

/** Messages of one stream that are stored together or not at all. */
export type Group = readonly Outgoing[];

interface Waiting {
  readonly group: Group;
  readonly bytes: number;
  /** Whether the caller has given up: then the group must not be sent. */
  readonly isOver: () => boolean;
  readonly resolve: (result: PublishResult) => void;
}

/** Most bytes of bodies in a batch of several groups. A larger group goes alone. */
const maxBatchBytes = 8 * 1024 * 1024;

/** Longest pause after a batch, in milliseconds. */
const maxPauseMs = 20;

/**
 * So many single messages of a stream may be under way at once before more of them share a batch. A message costs the server about as
 * much alone as in a batch, and a batch some milliseconds besides. If the server syncs every write, a batch of many is sooner.
 */
const maxSingles = 128;

const late = refused('timeout', 'its time was up before it was sent');

/** Refusals that are about a message of the batch, not about the broker. */
const aboutMessages: ReadonlySet<RefusalReason> = new Set(['conflict', 'undecided', 'too_large']);

/**
 * Stores groups of messages as atomic batches. A batch costs the server some milliseconds whatever its size, so while
 * one is under way the groups for the same stream gather for the next. A batch that is refused because of one message
 * is sent again in halves until the refused group is found. A batch blocks the stream for all others, so after each one
 * the publisher pauses for as long as it took. A group of one message needs no batch, unless many come at once.
 */
export class AtomicPublisher {
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #waiting = new Map<string, Waiting[]>();
  /** By stream: how many single messages are under way. */
  readonly #singles = new Map<string, number>();

  constructor(publisher: Pick<Publisher, 'publish'>) {
    this.#publisher = publisher;
  }

  /**
   * The sequence of the result is that of the last message of the group. Never throws for expected failures: see
   * `Publisher.publish`.
   */
  publish(stream: string, group: Group, isOver: () => boolean = () => false): Promise<PublishResult> {
    const [single, ...others] = group;
    // Also while a batch is under way: the few that waited for it would be the next batch.
    if (single !== undefined && others.length === 0 && this.#countOf(stream) < maxSingles) {
      return isOver() ? Promise.resolve(late) : this.#publishAlone(stream, single);
    }
    return new Promise((resolve) => {
      const bytes = group.reduce((sum, { body }) => sum + body.length, 0);
      const waiting = { group, bytes, isOver, resolve };
      const others = this.#waiting.get(stream);
      if (others !== undefined) {
        others.push(waiting);
        return;
      }
      this.#waiting.set(stream, [waiting]);
      // Those of one tick of the event loop go together.
      setImmediate(() => void this.#drain(stream));
    });
  }

  /** Sends one batch after the other until no group is left. */
  async #drain(stream: string): Promise<void> {
    const waiting = this.#waiting.get(stream) ?? [];
    while (waiting.length > 0) {
      const startedAt = performance.now();
      await this.#store(takeBatch(waiting));
      await sleep(Math.min(performance.now() - startedAt, maxPauseMs));
    }
    this.#waiting.delete(stream);
  }

  async #publishAlone(stream: string, message: Outgoing): Promise<PublishResult> {
    this.#singles.set(stream, this.#countOf(stream) + 1);
    const result = await this.#publisher.publish(withoutBatch(message));
    const left = this.#countOf(stream) - 1;
    if (left > 0) {
      this.#singles.set(stream, left);
    } else {
      this.#singles.delete(stream);
    }
    return result;
  }

  #countOf(stream: string): number {
    return this.#singles.get(stream) ?? 0;
  }

  async #store(batch: readonly Waiting[]): Promise<void> {
    const open = batch.filter(({ isOver }) => !isOver());
    for (const { resolve } of batch.filter((each) => !open.includes(each))) {
      resolve(late);
    }
    if (open.length === 0) {
      return;
    }
    const result = await this.#publisher.publish(toAtomicBatch(open.flatMap(({ group }) => group)));
    if (result.kind === 'refused' && aboutMessages.has(result.reason) && open.length > 1) {
      const half = Math.ceil(open.length / 2);
      await this.#store(open.slice(0, half));
      await this.#store(open.slice(half));
      return;
    }
    let following = open.reduce((sum, { group }) => sum + group.length, 0);
    for (const { group, resolve } of open) {
      following -= group.length;
      resolve(result.kind === 'stored' ? { ...result, sequence: result.sequence - following } : result);
    }
  }
}

/** Takes as many groups from the front as fit into one batch, at least one. */
function takeBatch(waiting: Waiting[]): Waiting[] {
  let messages = 0;
  let bytes = 0;
  const end = waiting.findIndex((each, index) => {
    messages += each.group.length;
    bytes += each.bytes;
    return index > 0 && (messages > maxBatchMessages || bytes > maxBatchBytes);
  });
  return waiting.splice(0, end === -1 ? waiting.length : end);
}
