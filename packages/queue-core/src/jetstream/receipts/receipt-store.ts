import { randomUUID } from 'node:crypto';
import { addressOf, callFilter, emptyBody, queueStream } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import {
  anyCancelIntentSubject,
  anyOutcomeSubject,
  missingReceiptCodec,
  missingReceiptSubject,
  type Receipt,
  type ReceiptBatch,
  receiptBatchCodec,
} from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import { cancelStream, outcomeStream, type QueueTopology } from '../layout/index.ts';
import { MessageHeaders } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';

/** Where an accepted call is. `missing` breaks P2. */
export type CallWhereabouts = 'held' | 'ended' | 'missing';

/** Receipts of accepted calls, kept by the broker, and the look whether each call is where it has to be. */
export class ReceiptStore {
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #topology: Pick<QueueTopology, 'manager'>;

  constructor(publisher: Pick<Publisher, 'publish'>, topology: Pick<QueueTopology, 'manager'>) {
    this.#publisher = publisher;
    this.#topology = topology;
  }

  /** Has workers look after these calls. Never throws. */
  put(batch: ReceiptBatch): Promise<PublishResult> {
    const result = new MessageHeaders();
    result.set(receiptBatchCodec.header, receiptBatchCodec.encode(batch));
    return this.#publisher.publish({ subject: `receipts.accepted.${randomUUID()}`, headers: result, body: emptyBody });
  }

  /**
   * Where the call is. The queue is looked at first: an end is recorded before a call leaves its queue, so a call that is
   * not in the queue now has had its end before now. But for one that is being cancelled: the intent to do so is stored
   * before it leaves, and removed when it has its end. Nothing but counts is read. Throws `QueueError`.
   */
  async find(receipt: Receipt): Promise<CallWhereabouts> {
    const { queue } = receipt;
    const address = addressOf(receipt);
    if (await this.#holds(queueStream(queue), callFilter(queue, address))) {
      return 'held';
    }
    if (await this.#holds(outcomeStream, anyOutcomeSubject(address))) {
      return 'ended';
    }
    if (await this.#holds(cancelStream, anyCancelIntentSubject(address))) {
      return 'held';
    }
    return (await this.#holds(outcomeStream, anyOutcomeSubject(address))) ? 'ended' : 'missing';
  }

  /** Writes down that the call is nowhere. Never throws. */
  reportMissing(receipt: Receipt): Promise<PublishResult> {
    const result = new MessageHeaders();
    result.set(missingReceiptCodec.header, missingReceiptCodec.encode(receipt));
    const subject = missingReceiptSubject(receipt);
    return this.#publisher.publish({ subject, headers: result, body: emptyBody });
  }

  async #holds(stream: string, filter: string): Promise<boolean> {
    try {
      const { state } = await this.#topology.manager.streams.info(stream, { subjects_filter: filter });
      return Object.keys(state.subjects ?? {}).length > 0;
    } catch (error) {
      if (isApiError(error, 'streamNotFound')) {
        return false;
      }
      throw asQueueError(error, `it cannot be seen whether ${stream} holds a call`);
    }
  }
}
