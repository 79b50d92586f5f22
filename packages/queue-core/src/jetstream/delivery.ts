import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import { isCallId } from '../call.ts';
import { callHeader, type DecodedCall, decodeCall } from '../codec.ts';
import { type DeliveryInfo, parseDeliveryInfo } from '../delivery-info.ts';
import { type CallSubject, parseCallSubject } from '../subjects.ts';

/** What a worker tells the broker of a call that it holds (NATS ADR-13). */
export type Acknowledgement = 'done' | 'working' | { readonly backAfterMs: number } | { readonly setAside: string };

/** A call in the hands of a worker: a lease that ends with `done`, `giveBack` or `setAside`. */
export interface Delivery {
  readonly call: DecodedCall;
  /** What the message held, for one that cannot be decoded. */
  readonly rawHeader: string;
  readonly rawBody: Uint8Array;
  /** From the subject, so known of a call that cannot be decoded as well. */
  readonly callId: string;
  readonly function: string;
  readonly queue: string;
  readonly info: DeliveryInfo;
  /** Whether one of `done`, `giveBack` and `setAside` has been called: the first counts. */
  readonly settled: boolean;
  /** Dealt with: the broker removes the call from the queue. */
  done(): void;
  /** Not dealt with: the broker hands it to the next worker that asks, at once or after `delayMs`. */
  giveBack(delayMs?: number): void;
  /** Renews the lease for another `ack_wait`. */
  extend(): void;
  /** The broker removes the call and tells operators why in an advisory. */
  setAside(reason: string): void;
}

export type SendAcknowledgement = (replyTo: string, acknowledgement: Acknowledgement) => void;

/** Reads a message of a function's consumer; undefined when it is none. */
export function toDelivery(message: Msg, send: SendAcknowledgement): Delivery | undefined {
  const reply = message.reply ?? '';
  const info = parseDeliveryInfo(reply);
  const subject = parseCallSubject(message.subject);
  if (info === undefined || subject === undefined) {
    return undefined;
  }
  const rawHeader = readHeader(message, callHeader);
  // Whoever may write to the stream may have chosen any token. An id that is none could not be filed under anything.
  const callId = isCallId(subject.callId) ? subject.callId : `message-${info.streamSequence}`;
  let settled = false;
  const settle = (acknowledgement: Acknowledgement): void => {
    if (!settled) {
      settled = true;
      send(reply, acknowledgement);
    }
  };
  return {
    call:
      rawHeader === undefined
        ? { kind: 'undecodable', problem: 'the headers of the message are malformed' }
        : ofSubject(decodeCall(rawHeader, message.data), subject),
    rawHeader: rawHeader ?? '',
    rawBody: message.data,
    callId,
    function: subject.function,
    queue: subject.queue,
    info,
    get settled() {
      return settled;
    },
    done: () => settle('done'),
    giveBack: (delayMs = 0) => settle({ backAfterMs: delayMs }),
    extend: () => send(reply, 'working'),
    setAside: (reason) => settle({ setAside: reason }),
  };
}

/** A call is settled under the names that it bears itself, so they have to be those that it was delivered under. */
function ofSubject(decoded: DecodedCall, subject: CallSubject): DecodedCall {
  if (decoded.kind === 'undecodable') {
    return decoded;
  }
  const { id, function: name, queue } = decoded.call;
  return id === subject.callId && name === subject.function && queue === subject.queue
    ? decoded
    : { kind: 'undecodable', problem: `${callHeader} is that of another call than the subject` };
}

/** The client parses headers when they are asked for, and throws where they are none: then it is undefined. */
export function readHeader(message: { readonly headers?: MsgHdrs | undefined }, name: string): string | undefined {
  try {
    return message.headers?.get(name) ?? '';
  } catch {
    return undefined;
  }
}

const nanosPerMs = 1_000_000;

/** The payload of an acknowledgement on the wire. */
export function acknowledgementPayload(acknowledgement: Acknowledgement): string {
  if (acknowledgement === 'done') {
    return '+ACK';
  }
  if (acknowledgement === 'working') {
    return '+WPI';
  }
  if ('setAside' in acknowledgement) {
    return `+TERM ${acknowledgement.setAside}`;
  }
  const { backAfterMs } = acknowledgement;
  return backAfterMs > 0 ? `-NAK {"delay": ${Math.round(backAfterMs) * nanosPerMs}}` : '-NAK';
}
