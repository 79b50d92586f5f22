import type { Msg, MsgHdrs } from '@nats-io/transport-node';
import {
  type CallIdentity,
  callHeader,
  type DecodedCall,
  decodeCall,
  emptyBody,
  readCallSubject,
} from '../../call/index.ts';
import { type DeliveryInfo, parseDeliveryInfo } from '../messages/index.ts';

/** The answers of a worker to a delivery (NATS ADR-13). */
export type Acknowledgement = 'ack' | 'inProgress' | { readonly nakDelayMs: number } | { readonly term: string };

/**
 * A call that a worker has received: a lease that ends with `ack`, `nak` or `term`. Its subject says which call it is
 * and which lane it belongs to, so both are known even if the call cannot be decoded.
 */
export interface Delivery extends CallIdentity {
  readonly call: DecodedCall;
  /** The header and body of the message, for a call that cannot be decoded. */
  readonly rawHeader: string;
  readonly rawBody: Uint8Array;
  readonly function: string;
  readonly queue: string;
  readonly info: DeliveryInfo;
  /** Whether one of `ack`, `nak` and `term` has been called: the first counts. */
  readonly settled: boolean;
  /** Dealt with: the broker removes the call from the queue. */
  ack(): void;
  /** Not dealt with: the broker hands it to the next worker that asks, at once or after `delayMs`. */
  nak(delayMs?: number): void;
  /** Drops the body of the call, here and in `call`: nothing needs it any more, or it will be read again. */
  dropBody(): void;
  /** Renews the lease for another `ack_wait`. */
  inProgress(): void;
  /** The broker removes the call and tells operators why in an advisory. */
  term(reason: string): void;
  /**
   * The broker has delivered the same message again, because the lease ran out or the consumer was recreated: whatever
   * this delivery was or will be settled with goes to the newer one. A new consumer does not know what the earlier one
   * was told.
   */
  redelivered(newer: Delivery): void;
}

type MessageSubject = NonNullable<ReturnType<typeof readCallSubject>>;

export type SendAcknowledgement = (replyTo: string, acknowledgement: Acknowledgement) => void;

/** Reads a message of a function's consumer; undefined if it is not one. */
export function toDelivery(message: Msg, send: SendAcknowledgement): Delivery | undefined {
  const reply = message.reply ?? '';
  const info = parseDeliveryInfo(reply);
  const subject = readCallSubject(message.subject);
  if (info === undefined || subject === undefined) {
    return undefined;
  }
  const rawHeader = readHeader(message, callHeader);
  const { lane, identity = nameless(info) } = subject;
  const decoded: DecodedCall =
    rawHeader === undefined
      ? { kind: 'undecodable', problem: 'the headers of the message are malformed' }
      : ofSubject(decodeCall(rawHeader, message.data), subject);
  let rawBody: Uint8Array = message.data;
  let decided: Acknowledgement | undefined;
  let latest: Delivery | undefined;
  const settle = (acknowledgement: Acknowledgement): void => {
    if (decided !== undefined) {
      return;
    }
    decided = acknowledgement;
    if (latest === undefined) {
      send(reply, acknowledgement);
    } else {
      settleAs(latest, acknowledgement);
    }
  };
  return {
    call: decoded,
    rawHeader: rawHeader ?? '',
    get rawBody() {
      return rawBody;
    },
    callId: identity.callId,
    ...(identity.submitter !== undefined && { submitter: identity.submitter }),
    startTime: identity.startTime,
    function: lane.function,
    queue: lane.queue,
    info,
    get settled() {
      return decided !== undefined;
    },
    ack: () => settle('ack'),
    dropBody: () => {
      rawBody = emptyBody;
      if (decoded.kind === 'call') {
        Object.assign(decoded.call, { body: emptyBody });
      }
    },
    nak: (delayMs = 0) => settle({ nakDelayMs: delayMs }),
    inProgress: () => (latest === undefined ? send(reply, 'inProgress') : latest.inProgress()),
    term: (reason) => settle({ term: reason }),
    redelivered: (newer) => {
      latest = newer;
      newer.dropBody(); // it has the same body
      if (decided !== undefined) {
        settleAs(newer, decided);
      }
    },
  };
}

function settleAs(delivery: Delivery, acknowledgement: Acknowledgement): void {
  if (acknowledgement === 'ack') {
    delivery.ack();
  } else if (acknowledgement !== 'inProgress' && 'term' in acknowledgement) {
    delivery.term(acknowledgement.term);
  } else if (acknowledgement !== 'inProgress') {
    delivery.nak(acknowledgement.nakDelayMs);
  }
}

/** A call is settled under its own names, so they must be those of the subject that it was delivered under. */
function ofSubject(decoded: DecodedCall, { lane, identity }: MessageSubject): DecodedCall {
  if (decoded.kind === 'undecodable') {
    return decoded;
  }
  const { id, submitter, startTime, function: name, queue } = decoded.call;
  const isOfCall = id === identity?.callId && submitter === identity.submitter && startTime === identity.startTime;
  return isOfCall && name === lane.function && queue === lane.queue
    ? decoded
    : { kind: 'undecodable', problem: `${callHeader} is that of another call than the subject` };
}

/** Any client with access to the stream may have chosen the tokens; an invalid identity cannot name a record. */
function nameless({ streamSequence, storedAtMs }: DeliveryInfo): CallIdentity {
  return { callId: `message-${streamSequence}`, startTime: `${storedAtMs}000000` };
}

/** Undefined if the headers are malformed: the client parses them only here, and throws. */
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
  if (acknowledgement === 'ack') {
    return '+ACK';
  }
  if (acknowledgement === 'inProgress') {
    return '+WPI';
  }
  if ('term' in acknowledgement) {
    return `+TERM ${acknowledgement.term}`;
  }
  const { nakDelayMs } = acknowledgement;
  return nakDelayMs > 0 ? `-NAK {"delay": ${Math.round(nakDelayMs) * nanosPerMs}}` : '-NAK';
}
