import type { StoredMsg } from '@nats-io/jetstream';
import { queueStream, scheduledFilter } from '../../call/index.ts';
import type { RefusalReason } from '../../publish-result.ts';
import { scheduleSubjects } from '../../schedules/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { callbackStream, expiryStream, type QueueTopology, scheduleStream } from '../layout/index.ts';
import { expectLast, MessageHeaders, nextMessage, scheduledAt } from '../messages/index.ts';
import type { Outgoing, Publisher } from '../publish/index.ts';

/** The server is never this late with a schedule unless it has forgotten it. */
const overdueMs = 10_000;
/** After this many schedules that are not overdue the scan of a stream ends: forgotten schedules become the oldest. */
const maxInTime = 5;
/** Most schedules scanned in one stream at once. */
const maxScanned = 100;

/** The place of schedules in a stream. */
interface Schedules {
  readonly stream: string;
  readonly filter: string;
  /**
   * Index of the subject token that marks a schedule, if only the newest message with any value there may be stored
   * again. Any other token may have the same value. Default: only the newest message of the subject.
   */
  readonly placeToken?: number;
}

/** Refusals that concern one schedule, not those behind it. */
const passedOver: ReadonlySet<RefusalReason> = new Set(['conflict', 'undecided', 'too_large']);

/** Headers that must not be sent again: the server would take the message for a duplicate, or for a part of a batch. */
const outdatedHeaders = /^nats-(msg-id|expected-|batch-)/i;

/**
 * Restores schedules that the server has forgotten. nats-server tries a schedule once: one that came due while the
 * storage was full stays where it is, even once there is room, until the server restarts or the schedule is stored
 * again (seen with 2.15.1). This class stores it again, so that nothing waits for ever (P2).
 */
export class OverdueSchedules {
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #topology: Pick<QueueTopology, 'manager' | 'listQueues'>;

  constructor(publisher: Pick<Publisher, 'publish'>, topology: Pick<QueueTopology, 'manager' | 'listQueues'>) {
    this.#publisher = publisher;
    this.#topology = topology;
  }

  /**
   * Scans the oldest schedules of each stream, and stores overdue ones again. Returns how many. Safe in many processes
   * at once. Throws `QueueError`.
   * @param at Unix time in milliseconds. Default: the server's time: if our clock is ahead, a schedule must not be
   * stored again at the moment it fires
   */
  async restore(at?: number): Promise<number> {
    const now = at ?? (await this.#serverTime());
    const queues = await this.#topology.listQueues();
    let restored = await this.#restoreIn({ stream: callbackStream, filter: 'callbacks.later.>', placeToken: 1 }, now);
    restored += await this.#restoreIn({ stream: expiryStream, filter: 'expiries.later.>', placeToken: 1 }, now);
    restored += await this.#restoreIn({ stream: scheduleStream, filter: scheduleSubjects.later }, now);
    for (const queue of queues) {
      const calls = { stream: queueStream(queue), filter: scheduledFilter(queue), placeToken: 2 };
      restored += await this.#restoreIn(calls, now);
    }
    return restored;
  }

  async #serverTime(): Promise<number> {
    try {
      // The time of the answer; the client's type lacks it.
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
    /** The first sequence that this scan has stored itself. */
    let end = Number.POSITIVE_INFINITY;
    for (let seen = 0; seen < maxScanned && inTime < maxInTime; seen++) {
      // Any replica may answer: if it is behind, storing the message again fails.
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
 * When the server should have fired it: Unix time in milliseconds. Infinite for a schedule of another kind, which is
 * not ours.
 */
function dueAt({ header, time }: StoredMsg): number {
  const due = scheduledAt(header);
  return due === undefined ? Number.POSITIVE_INFINITY : Math.max(due, time.getTime());
}

function again({ header, subject, data, seq }: StoredMsg, placeToken: number | undefined): Outgoing {
  const result = new MessageHeaders();
  for (const [name, values] of header) {
    if (!outdatedHeaders.test(name)) {
      result.set(name, values.join(','));
    }
  }
  // Only while it is the newest message of the call: it may have just become ready.
  const anywhere = placeToken === undefined ? subject : subject.split('.').with(placeToken, '*').join('.');
  expectLast(result, anywhere, seq);
  return { subject, headers: result, body: data };
}
