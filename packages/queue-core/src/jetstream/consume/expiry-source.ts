import { type ExpiryTimer, expirySubject, expiryTimerCodec } from '../../records/index.ts';
import { expiryStream } from '../layout/index.ts';
import { type SourceOptions, toWorkDelivery, type WorkDelivery, WorkSource } from './work-source.ts';

/** An expiry timer that has fired, received by a worker. */
export type ExpiryDelivery = WorkDelivery<ExpiryTimer>;

/** Takes expiry timers that have fired. They do not pass through the lanes, so no slot and no pause delays them. */
export class ExpirySource extends WorkSource<ExpiryDelivery> {
  constructor(options: SourceOptions) {
    super(options, {
      stream: expiryStream,
      consumer: 'expiries',
      filter: 'expiries.due.*.*.*.*',
      toDelivery: (message) => toWorkDelivery(message, expiryTimerCodec, (timer) => expirySubject('due', timer)),
    });
  }
}
