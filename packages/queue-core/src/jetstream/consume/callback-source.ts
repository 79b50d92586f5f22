import type { JsMsg } from '@nats-io/jetstream';
import { type CallbackTask, callbackSubject, callbackTaskCodec } from '../../records/index.ts';
import { callbackStream } from '../layout/index.ts';
import { messageAt } from '../messages/index.ts';
import { readHeader } from './delivery.ts';
import { type SourceOptions, WorkSource } from './work-source.ts';

/** A stored callback that a worker has received. */
export interface CallbackDelivery {
  /** Undefined for a message that cannot be read. */
  readonly task: CallbackTask | undefined;
  /** Length of the body, which stays at the broker until `readBody` reads it. */
  readonly bodyBytes: number;
  readonly streamSequence: number;
  readonly deliveries: number;
  /** The body. Undefined if the broker no longer has the message, or does not know it yet. Throws `QueueError`. */
  readBody(): Promise<Uint8Array | undefined>;
  /** Dealt with: the broker removes it. */
  ack(): void;
  /** Not now: the broker hands it out again after `delayMs`. */
  nak(delayMs?: number): void;
  /** Renews the lease for another `ackWaitMs`. */
  inProgress(): void;
}

/**
 * Takes stored callbacks that are due, without their bodies: it is not known yet when the worker will send each of
 * them.
 */
export class CallbackSource extends WorkSource<CallbackDelivery> {
  constructor(options: SourceOptions) {
    const readBody = async (sequence: number): Promise<Uint8Array | undefined> =>
      (await messageAt(options.topology.manager, callbackStream, sequence))?.data;
    super(options, {
      stream: callbackStream,
      consumer: 'callbacks',
      filter: 'callbacks.ready.*.*.*.*',
      headersOnly: true,
      toDelivery: (message) => toDelivery(message, readBody),
    });
  }
}

function toDelivery(message: JsMsg, readBody: (sequence: number) => Promise<Uint8Array | undefined>): CallbackDelivery {
  return {
    task: readTask(message),
    bodyBytes: Number(readHeader(message, 'Nats-Msg-Size') ?? 0),
    streamSequence: message.seq,
    deliveries: message.info.deliveryCount,
    readBody: () => readBody(message.seq),
    ack: () => message.ack(),
    nak: (delayMs) => message.nak(delayMs),
    inProgress: () => message.working(),
  };
}

/** Undefined if the message cannot be read, or its subject is that of another task. */
function readTask(message: JsMsg): CallbackTask | undefined {
  const task = callbackTaskCodec.decode(readHeader(message, callbackTaskCodec.header) ?? '');
  return task !== undefined && callbackSubject('ready', task) === message.subject ? task : undefined;
}
