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
   * Returns where the call is. The queue is read first: an outcome is recorded before its call leaves the queue, so a
   * call that is not in the queue has an outcome. A call that is being cancelled is the exception: its
   * intent is stored before it leaves, and removed once it has an outcome. A call that is in both places has ended, maybe
   * long ago: its outcome may be removed as soon as its last message is gone, so there is nothing to wait for. Only counts are read. Throws `QueueError`.
   */
  async find(receipt: Receipt): Promise<CallWhereabouts> {
    const { queue } = receipt;
    const address = addressOf(receipt);
    const hasEnded = (): Promise<boolean> => this.#holds(outcomeStream, anyOutcomeSubject(address));
    const isQueued = await this.#holds(queueStream(queue), callFilter(queue, address));
    if (await hasEnded()) {
      return 'ended';
    }
    if (isQueued || (await this.#holds(cancelStream, anyCancelIntentSubject(address)))) {
      return 'held';
    }
    return (await hasEnded()) ? 'ended' : 'missing';
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
