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
  return info === undefined || subject === undefined
    ? undefined
    : new DeliveredMessage(message, subject, { reply, info, send });
}

interface Envelope {
  readonly reply: string;
  readonly info: DeliveryInfo;
  readonly send: SendAcknowledgement;
}

/** A class, since a closure for each of its methods would take more memory than all else of a delivery. */
class DeliveredMessage implements Delivery {
  readonly call: DecodedCall;
  readonly rawHeader: string;
  readonly callId: string;
  declare readonly submitter?: string;
  readonly startTime: string;
  readonly function: string;
  readonly queue: string;
  readonly info: DeliveryInfo;
  readonly #reply: string;
  readonly #send: SendAcknowledgement;
  #rawBody: Uint8Array;
  #decided: Acknowledgement | undefined;
  #latest: Delivery | undefined;

  constructor(message: Msg, subject: MessageSubject, { reply, info, send }: Envelope) {
    const rawHeader = readHeader(message, callHeader);
    const { lane, identity = nameless(info) } = subject;
    this.#rawBody = message.data;
    this.call =
      rawHeader === undefined
        ? { kind: 'undecodable', problem: 'the headers of the message are malformed' }
        : ofSubject(decodeCall(rawHeader, this.#rawBody), subject);
    this.rawHeader = rawHeader ?? '';
    this.callId = identity.callId;
    if (identity.submitter !== undefined) {
      this.submitter = identity.submitter;
    }
    this.startTime = identity.startTime;
    this.function = lane.function;
    this.queue = lane.queue;
    this.info = info;
    this.#reply = reply;
    this.#send = send;
  }

  get rawBody(): Uint8Array {
    return this.#rawBody;
  }

  get settled(): boolean {
    return this.#decided !== undefined;
  }

  ack(): void {
    this.#settle('ack');
  }

  nak(delayMs = 0): void {
    this.#settle({ nakDelayMs: delayMs });
  }

  term(reason: string): void {
    this.#settle({ term: reason });
  }

  inProgress(): void {
    if (this.#latest === undefined) {
      this.#send(this.#reply, 'inProgress');
    } else {
      this.#latest.inProgress();
    }
  }

  dropBody(): void {
    this.#rawBody = emptyBody;
    if (this.call.kind === 'call') {
      Object.assign(this.call.call, { body: emptyBody });
    }
  }

  redelivered(newer: Delivery): void {
    this.#latest = newer;
    newer.dropBody(); // it has the same body
    if (this.#decided !== undefined) {
      settleAs(newer, this.#decided);
    }
  }

  #settle(acknowledgement: Acknowledgement): void {
    if (this.#decided !== undefined) {
      return;
    }
    this.#decided = acknowledgement;
    if (this.#latest === undefined) {
      this.#send(this.#reply, acknowledgement);
    } else {
      settleAs(this.#latest, acknowledgement);
    }
  }
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
