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

/** Stores receipts of accepted calls at the broker, and checks where each call is. */
export class ReceiptStore {
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #topology: Pick<QueueTopology, 'manager'>;

  constructor(publisher: Pick<Publisher, 'publish'>, topology: Pick<QueueTopology, 'manager'>) {
    this.#publisher = publisher;
    this.#topology = topology;
  }

  /** Has workers audit these calls. Never throws. */
  put(batch: ReceiptBatch): Promise<PublishResult> {
    const result = new MessageHeaders();
    result.set(receiptBatchCodec.header, receiptBatchCodec.encode(batch));
    return this.#publisher.publish({ subject: `receipts.accepted.${randomUUID()}`, headers: result, body: emptyBody });
  }

  /**
   * Returns where the call is. The queue is checked first: an outcome is recorded before its call leaves the queue, so
   * a call that is not in the queue has an outcome. Except for a call that is being cancelled: its intent is stored
   * before it leaves, and removed once it has an outcome. Only counts are read. Throws `QueueError`.
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

  /** Records that the call is missing. Never throws. */
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
      throw asQueueError(error, `${stream} cannot be searched for a call`);
    }
  }
}
