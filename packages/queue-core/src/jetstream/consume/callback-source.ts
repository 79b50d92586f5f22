import { type CallbackTask, callbackSubject, callbackTaskCodec } from '../../records/index.ts';
import { callbackStream } from '../layout/index.ts';
import { messageAt } from '../messages/index.ts';
import { readHeader } from './delivery.ts';
import { type SourceOptions, toWorkDelivery, type WorkDelivery, WorkSource } from './work-source.ts';

/** A stored callback that a worker has received. */
export interface CallbackDelivery extends WorkDelivery<CallbackTask> {
  /** Length of the body, which stays at the broker until `readBody` reads it. */
  readonly bodyBytes: number;
  /** The body. Undefined if the broker no longer has the message, or does not know it yet. Throws `QueueError`. */
  readBody(): Promise<Uint8Array | undefined>;
}

/**
 * Takes stored callbacks that are due, without their bodies: it is not known yet when the worker will send each of
 * them.
 */
export class CallbackSource extends WorkSource<CallbackDelivery> {
  constructor(options: SourceOptions) {
    super(options, {
      stream: callbackStream,
      consumer: 'callbacks',
      filter: 'callbacks.ready.*.*.*.*',
      headersOnly: true,
      toDelivery: (message) => ({
        ...toWorkDelivery(message, callbackTaskCodec, (task) => callbackSubject('ready', task)),
        bodyBytes: Number(readHeader(message, 'Nats-Msg-Size') ?? 0),
        readBody: async () => (await messageAt(options.topology.manager, callbackStream, message.seq))?.data,
      }),
    });
  }
}
