import type { StoredMsg } from '@nats-io/jetstream';
import { queueStream, scheduledFilter } from '../../call/index.ts';
import type { RefusalReason } from '../../publish-result.ts';
import { asQueueError } from '../connecting/index.ts';
import { callbackStream, expiryStream, type QueueTopology } from '../layout/index.ts';
import { expectLast, MessageHeaders, nextMessage, scheduledAt } from '../messages/index.ts';
import type { Outgoing, Publisher } from '../publish/index.ts';

/** The server is never this late with a schedule that it has not forgotten. */
const overdueMs = 10_000;
/** So many in a row that are not overdue end a look at a stream: schedules that were forgotten come to be the oldest. */
const maxInTime = 5;
/** Most schedules that are looked at in one stream at once. */
const maxScanned = 100;

/** Where schedules wait. */
interface Schedules {
  readonly stream: string;
  readonly filter: string;
  /** Which token of a subject says that it is one, from 0. Any of the others may be called the same. */
  readonly placeToken: number;
}

/** They say something of one schedule, and nothing of those behind it. */
const passedOver: ReadonlySet<RefusalReason> = new Set(['conflict', 'undecided', 'too_large']);

/** Sent again, they would let the server take the message for one that it knows. */
const outdatedHeaders = /^nats-(msg-id|expected-)/i;

/**
 * Finds schedules that the server has forgotten. nats-server tries a schedule once: one that came due while the storage
 * was full stays where it is, also when there is room again, until the server starts anew or the schedule is stored
 * again (seen with 2.15.1). The latter is done here, so that nothing waits for ever (P2).
 */
export class OverdueSchedules {
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #topology: Pick<QueueTopology, 'manager' | 'listQueues'>;

  constructor(publisher: Pick<Publisher, 'publish'>, topology: Pick<QueueTopology, 'manager' | 'listQueues'>) {
    this.#publisher = publisher;
    this.#topology = topology;
  }

  /**
   * Looks at the oldest schedules of each stream, and stores those again that are overdue. Returns how many. Safe in
   * many processes at once. Throws `QueueError`.
   * @param at Unix time in milliseconds. Default: the server's own, since a schedule that it has not forgotten must not be
   * stored again in the moment in which it fires, because a clock of ours is ahead
   */
  async restore(at?: number): Promise<number> {
    const now = at ?? (await this.#serverTime());
    const queues = await this.#topology.listQueues();
    let restored = await this.#restoreIn({ stream: callbackStream, filter: 'callbacks.later.>', placeToken: 1 }, now);
    restored += await this.#restoreIn({ stream: expiryStream, filter: 'expiries.later.>', placeToken: 1 }, now);
    for (const queue of queues) {
      const calls = { stream: queueStream(queue), filter: scheduledFilter(queue), placeToken: 2 };
      restored += await this.#restoreIn(calls, now);
    }
    return restored;
  }

  async #serverTime(): Promise<number> {
    try {
      // The time of the answer, which the client has no type for.
      const info: { readonly ts?: string } = await this.#topology.manager.streams.info(callbackStream);
      const now = Date.parse(info.ts ?? '');
      return Number.isNaN(now) ? 0 : now;
    } catch (error) {
      throw asQueueError(error, 'the time of the server cannot be asked for');
    }
  }

  async #restoreIn({ stream, filter, placeToken }: Schedules, now: number): Promise<number> {
    let restored = 0;
    let inTime = 0;
    let next = 1;
    /** What we have stored ourselves begins here. */
    let end = Number.POSITIVE_INFINITY;
    for (let seen = 0; seen < maxScanned && inTime < maxInTime; seen++) {
      // Any replica may answer: whoever is behind is found out when the message is stored again.
      const message = await nextMessage(this.#topology.manager, stream, filter, next);
      if (message === undefined || message.seq >= end) {
        break;
      }
      next = message.seq + 1;
      if (dueAt(message) > now - overdueMs) {
        inTime += 1;
        continue;
      }
      const result = await this.#publisher.publish(again(message, placeToken));
      if (result.kind === 'stored') {
        restored += 1;
        end = Math.min(end, result.sequence);
      } else if (!passedOver.has(result.reason)) {
        break; // still no room
      }
    }
    return restored;
  }
}

/**
 * Since when the server could have put it where it belongs: Unix time in milliseconds. Never for a schedule of another
 * kind, which is none of ours.
 */
function dueAt({ header, time }: StoredMsg): number {
  const due = scheduledAt(header);
  return due === undefined ? Number.POSITIVE_INFINITY : Math.max(due, time.getTime());
}

function again({ header, subject, data, seq }: StoredMsg, placeToken: number): Outgoing {
  const result = new MessageHeaders();
  for (const [name, values] of header) {
    if (!outdatedHeaders.test(name)) {
      result.set(name, values.join(','));
    }
  }
  // Only while it is the last word on the call: it may have come to be ready in this moment.
  const anywhere = subject.split('.').with(placeToken, '*').join('.');
  expectLast(result, anywhere, seq);
  return { subject, headers: result, body: data };
}
