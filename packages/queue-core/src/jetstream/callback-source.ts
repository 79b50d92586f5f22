import type { JsMsg } from '@nats-io/jetstream';
import { type CallbackTask, callbackSubject, callbackTaskCodec } from '../callback-task.ts';
import { readHeader } from './delivery.ts';
import { callbackStream } from './record-streams.ts';
import { type SourceOptions, WorkSource } from './work-source.ts';

/** A stored callback in the hands of a worker. */
export interface CallbackDelivery {
  /** Undefined for a message that cannot be read. */
  readonly task: CallbackTask | undefined;
  readonly body: Uint8Array;
  readonly streamSequence: number;
  readonly deliveries: number;
  /** Dealt with: the broker removes it. */
  done(): void;
  /** Not now: the broker hands it out again after `delayMs`. */
  giveBack(delayMs?: number): void;
  /** Renews the lease for another `ackWaitMs`. */
  extend(): void;
}

/** Takes stored callbacks that are due. */
export class CallbackSource extends WorkSource<CallbackDelivery> {
  constructor(options: SourceOptions) {
    super(options, { stream: callbackStream, consumer: 'callbacks', filter: 'callbacks.ready.*.*.*.*', toDelivery });
  }
}

function toDelivery(message: JsMsg): CallbackDelivery {
  return {
    task: readTask(message),
    body: message.data,
    streamSequence: message.seq,
    deliveries: message.info.deliveryCount,
    done: () => message.ack(),
    giveBack: (delayMs) => message.nak(delayMs),
    extend: () => message.working(),
  };
}

/** Undefined for what cannot be read, and for a task that lies under the subject of another one. */
function readTask(message: JsMsg): CallbackTask | undefined {
  const task = callbackTaskCodec.decode(readHeader(message, callbackTaskCodec.header) ?? '');
  return task !== undefined && callbackSubject('ready', task) === message.subject ? task : undefined;
}
