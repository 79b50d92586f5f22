import {
  type BatchKey,
  batchMarksFilters,
  batchStateSubject,
  batchStatesFilter,
  parseBatchSubject,
} from '../../batches/index.ts';
import { type SourceOptions, type WorkDelivery, WorkSource } from '../consume/index.ts';
import { outcomeStream } from '../layout/index.ts';

/** That something was stored which may be the last thing that a batch needs to end. */
export interface BatchNotice extends BatchKey {
  /** It is the state of the batch; otherwise a call of it has ended. */
  readonly isState: boolean;
}

export type BatchDelivery = WorkDelivery<BatchNotice>;

/** The consumer of the states. The states that it has not acked belong to open batches. */
export const batchStatesConsumer = 'batch-states';

const work = {
  states: { consumer: batchStatesConsumer, filter: batchStatesFilter },
  marks: { consumer: 'batches', filter: batchMarksFilters },
} as const;

/** Takes the states of batches, or the marks of their ended calls, each by one worker. */
export class BatchSource extends WorkSource<BatchDelivery> {
  constructor(options: SourceOptions, what: keyof typeof work) {
    super(options, {
      stream: outcomeStream,
      ...work[what],
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
