import { type BatchKey, batchNoticeFilters, batchStateSubject, parseBatchSubject } from '../../batches/index.ts';
import { type SourceOptions, type WorkDelivery, WorkSource } from '../consume/index.ts';
import { outcomeStream } from '../layout/index.ts';

/** That something was stored which may be the last thing that a batch needs to end. */
export interface BatchNotice extends BatchKey {
  /** It is the state of the batch; otherwise a call of it has ended. */
  readonly isState: boolean;
}

export type BatchDelivery = WorkDelivery<BatchNotice>;

/** Takes the states of batches and the marks of their ended calls, each by one worker. */
export class BatchSource extends WorkSource<BatchDelivery> {
  constructor(options: SourceOptions) {
    super(options, {
      stream: outcomeStream,
      consumer: 'batches',
      filter: batchNoticeFilters,
      headersOnly: true,
      toDelivery: (message) => {
        const batch = parseBatchSubject(message.subject);
        return {
          task: batch && { ...batch, isState: message.subject === batchStateSubject(batch) },
          streamSequence: message.seq,
          deliveries: message.info.deliveryCount,
          ack: () => message.ack(),
          nak: (delayMs) => message.nak(delayMs),
          inProgress: () => message.working(),
        };
      },
    });
  }
}
