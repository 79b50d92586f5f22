import type { JsMsg } from '@nats-io/jetstream';
import { type ExpiryWord, expirySubject, expiryWordCodec } from '../../records/index.ts';
import { expiryStream } from '../layout/index.ts';
import { readHeader } from './delivery.ts';
import { type SourceOptions, WorkSource } from './work-source.ts';

/** An expiry whose moment has come, in the hands of a worker. */
export interface ExpiryDelivery {
  /** Undefined for a message that cannot be read. */
  readonly word: ExpiryWord | undefined;
  readonly deliveries: number;
  /** Dealt with: the broker removes it. */
  done(): void;
  /** Not now: the broker hands it out again after `delayMs`. */
  giveBack(delayMs?: number): void;
  /** Renews the lease for another `ackWaitMs`. */
  extend(): void;
}

/** Takes the words that calls have expired. They come past the lanes, so no slot and no pause holds them up. */
export class ExpirySource extends WorkSource<ExpiryDelivery> {
  constructor(options: SourceOptions) {
    super(options, { stream: expiryStream, consumer: 'expiries', filter: 'expiries.due.*.*.*.*', toDelivery });
  }
}

function toDelivery(message: JsMsg): ExpiryDelivery {
  return {
    word: readWord(message),
    deliveries: message.info.deliveryCount,
    done: () => message.ack(),
    giveBack: (delayMs) => message.nak(delayMs),
    extend: () => message.working(),
  };
}

/** Undefined for what cannot be read, and for a word that lies under the subject of another call. */
function readWord(message: JsMsg): ExpiryWord | undefined {
  const word = expiryWordCodec.decode(readHeader(message, expiryWordCodec.header) ?? '');
  return word !== undefined && expirySubject('due', word) === message.subject ? word : undefined;
}
