import type { JsMsg } from '@nats-io/jetstream';
import { type ExpiryTimer, expirySubject, expiryTimerCodec } from '../../records/index.ts';
import { expiryStream } from '../layout/index.ts';
import { readHeader } from './delivery.ts';
import { type SourceOptions, WorkSource } from './work-source.ts';

/** An expiry timer that has fired, received by a worker. */
export interface ExpiryDelivery {
  /** Undefined for a message that cannot be read. */
  readonly timer: ExpiryTimer | undefined;
  readonly deliveries: number;
  /** Dealt with: the broker removes it. */
  ack(): void;
  /** Not now: the broker hands it out again after `delayMs`. */
  nak(delayMs?: number): void;
  /** Renews the lease for another `ackWaitMs`. */
  inProgress(): void;
}

/** Takes expiry timers that have fired. They do not pass through the lanes, so no slot and no pause delays them. */
export class ExpirySource extends WorkSource<ExpiryDelivery> {
  constructor(options: SourceOptions) {
    super(options, { stream: expiryStream, consumer: 'expiries', filter: 'expiries.due.*.*.*.*', toDelivery });
  }
}

function toDelivery(message: JsMsg): ExpiryDelivery {
  return {
    timer: readTimer(message),
    deliveries: message.info.deliveryCount,
    ack: () => message.ack(),
    nak: (delayMs) => message.nak(delayMs),
    inProgress: () => message.working(),
  };
}

/** Undefined if the message cannot be read, or its subject is that of another call. */
function readTimer(message: JsMsg): ExpiryTimer | undefined {
  const timer = expiryTimerCodec.decode(readHeader(message, expiryTimerCodec.header) ?? '');
  return timer !== undefined && expirySubject('due', timer) === message.subject ? timer : undefined;
}
