import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { functionConsumer, queueStream } from '../../call/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback, TickBatch } from '../messages/index.ts';
import { settledWithin } from '../time-limit.ts';
import {
  type Acknowledgement,
  acknowledgementPayload,
  type Delivery,
  type SendAcknowledgement,
  toDelivery,
} from './delivery.ts';
import { OutstandingPulls } from './outstanding-pulls.ts';

/** Names one function's way out of a queue. */
export interface LaneId {
  readonly queue: string;
  readonly function: string;
}

export interface CallSourceListener {
  /** A call has come for the lane. */
  onDelivery(delivery: Delivery): void;
  /** The lane has fewer requests open than before, without a call having come for them. */
  onUnfilled(lane: LaneId): void;
  /** The function's consumer does not exist (any more). */
  onLaneGone(lane: LaneId): void;
}

interface Lane extends LaneId {
  readonly index: number;
  readonly pulls: OutstandingPulls;
  readonly subject: string;
}

interface OutgoingAck {
  readonly reply: string;
  readonly acknowledgement: Acknowledgement;
}

/** How much later than the broker we give up on a request if the broker has not reported its end. */
const graceMs = 2_000;
const sweepMs = 1_000;
/**
 * Shortest life of a request. There is `no_wait` as well, but nats-server lets such a request stand without an end
 * while `max_ack_pending` is reached, and does not say what it leaves unfilled.
 */
const minExpiresMs = 100;
/** Longest wait for calls that are on their way, when we stop. */
const drainLimitMs = 2_000;
const nanosPerMs = 1_000_000;
/** Ends at once if a call is waiting, and as soon as possible if not. */
const wakingRequest = JSON.stringify({ batch: 1, max_bytes: 1, expires: minExpiresMs * nanosPerMs });
/** Most acknowledgements are this one, and to encode it each time costs more than to send it. */
const ackPayload = Buffer.from(acknowledgementPayload('ack'));

/**
 * Takes calls from the consumers of functions: exactly as many as are asked for (P4), over one subscription for all
 * lanes, so that a thousand idle functions cost one timer and a request now and then.
 */
export class CallSource {
  readonly #broker: Broker;
  readonly #listener: CallSourceListener;
  readonly #now: () => number;
  readonly #lanes = new Map<string, Lane>();
  readonly #laneByIndex = new Map<number, Lane>();
  #lastIndex = 0;
  readonly #acks = new TickBatch<OutgoingAck>((acks) => this.#sendAcks(acks));
  #unsent: OutgoingAck[] = [];
  #inbox = '';
  #subscription: Subscription | undefined;
  #lastPull = 0;
  #sweep: NodeJS.Timeout | undefined;
  #stopped: Promise<void> | undefined;

  constructor(broker: Broker, listener: CallSourceListener, now: () => number = performance.now.bind(performance)) {
    this.#broker = broker;
    this.#listener = listener;
    this.#now = now;
    broker.onConnect((connection) => this.#listen(connection));
    broker.onDisconnect(() => this.#abandon());
  }

  /** Calls that have been requested and may still come. */
  open(lane: LaneId): number {
    return this.#lanes.get(consumerKey(lane))?.pulls.open ?? 0;
  }

  /**
   * Requests up to `count` calls of the lane. The request waits at the broker for `expiresMs`, at least 100; a request
   * that short takes the calls that are ready and ends. Does nothing while disconnected and after a stop.
   */
  request(id: LaneId, count: number, expiresMs: number): void {
    const connection = this.#broker.connection;
    if (!this.#broker.attached || connection === undefined || this.#subscription === undefined) {
      return;
    }
    const lane = this.#laneFor(id);
    this.#lastPull += 1;
    const pullId = this.#lastPull.toString(36);
    const standsMs = Math.max(expiresMs, minExpiresMs);
    lane.pulls.request(pullId, count, this.#now() + standsMs + graceMs);
    connection.publish(lane.subject, JSON.stringify({ batch: count, expires: standsMs * nanosPerMs }), {
      // The lane is in the reply subject, so that the end of a request needs no memory of it.
      reply: `${this.#inbox}.${lane.index}.${pullId}`,
    });
    this.#watch(connection);
  }

  /**
   * Has the broker look again whether it can serve the requests of the lane that stand. nats-server does not by itself
   * when an operator ends a pause (seen with 2.15.1): a request made during the pause would wait until it expires, and
   * the calls with it. A further request would do, and could bring one call too many (P4). This one never brings any,
   * since no message fits into it.
   */
  wake(id: LaneId): void {
    const connection = this.#broker.connection;
    if (!this.#broker.attached || connection === undefined || this.#subscription === undefined) {
      return;
    }
    connection.publish(this.#laneFor(id).subject, wakingRequest, { reply: `${this.#inbox}.wake.0` });
  }

  /** The lane is gone: nothing of it is kept. */
  forget(id: LaneId): void {
    const lane = this.#lanes.get(consumerKey(id));
    if (lane !== undefined) {
      this.#lanes.delete(consumerKey(id));
      this.#laneByIndex.delete(lane.index);
    }
  }

  /**
   * Withdraws all requests. Until this resolves, the listener still receives calls that were on their way, so that it
   * can hand them back (P8). Acknowledgements can be sent after it.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#sweep);
    const subscription = this.#subscription;
    this.#subscription = undefined;
    if (subscription !== undefined && this.#broker.attached) {
      await settledWithin(subscription.drain(), drainLimitMs);
    }
    this.#forgetRequests();
  }

  /** Sends what acknowledgements wait for the end of this tick of the event loop. */
  flush(): void {
    this.#acks.flush();
  }

  /** A new inbox for each connection. The broker drops the requests of the earlier one, since their inbox is gone. */
  #listen(connection: NatsConnection): void {
    if (this.#stopped === undefined) {
      this.#inbox = this.#broker.createInbox();
      const skip = this.#inbox.length + 1;
      this.#subscription = connection.subscribe(`${this.#inbox}.*.*`, {
        callback: inboxCallback((message) => this.#receive(message, skip)),
      });
    }
    this.#sendAcks(this.#unsent.splice(0));
  }

  /**
   * The old inbox goes before the client can renew its subscription: a call that the broker sent there on the new
   * connection would wait until its lease ran out.
   */
  #abandon(): void {
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
    this.#forgetRequests();
  }

  readonly #acknowledge: SendAcknowledgement = (reply, acknowledgement) => this.#acks.add({ reply, acknowledgement });

  #receive(message: Msg, skip: number): void {
    const delivery = toDelivery(message, this.#acknowledge);
    if (delivery === undefined) {
      this.#receiveStatus(message, message.subject.slice(skip));
      return;
    }
    const { stream, consumer } = delivery.info;
    this.#lanes.get(`${stream}/${consumer}`)?.pulls.received();
    this.#listener.onDelivery(delivery);
  }

  /** Statuses of a pull request: 408 expired, 409 ended or refused by the broker, 503 no such consumer. */
  #receiveStatus(message: Msg, replyTail: string): void {
    const [index, pullId = ''] = replyTail.split('.');
    const lane = this.#laneByIndex.get(Number(index));
    const { code = 0, description = '' } = message.headers ?? {};
    if (lane === undefined || code < 400) {
      return;
    }
    if (code === 503 || (code === 409 && description === 'Consumer Deleted')) {
      lane.pulls.clear();
      this.#listener.onLaneGone(lane);
      return;
    }
    lane.pulls.ended(pullId, unfilledOf(message, description));
    this.#listener.onUnfilled(lane);
  }

  #watch(connection: NatsConnection): void {
    this.#sweep ??= setTimeout(() => void this.#expire(connection), sweepMs).unref();
  }

  /**
   * Gives up on requests that must have ended although the broker reported nothing. A broker that hangs has not ended
   * them: they stand until it answers, since otherwise each round would ask it for more.
   */
  async #expire(connection: NatsConnection): Promise<void> {
    const now = this.#now();
    await connection.flush().catch(() => {}); // disconnected: all requests have been forgotten
    this.#sweep = undefined;
    for (const lane of this.#lanes.values()) {
      if (lane.pulls.expire(now)) {
        this.#listener.onUnfilled(lane);
      }
      if (lane.pulls.open > 0) {
        this.#watch(connection);
      }
    }
  }

  #forgetRequests(): void {
    for (const lane of this.#lanes.values()) {
      lane.pulls.clear();
    }
  }

  /** Acks and terms are kept over an outage: even a late one spares the call a second invocation. */
  #sendAcks(acks: readonly OutgoingAck[]): void {
    const connection = this.#broker.connection;
    if (!this.#broker.attached || connection === undefined || connection.isDraining()) {
      this.#unsent.push(...acks.filter(({ acknowledgement }) => settles(acknowledgement)));
      return;
    }
    for (const { reply, acknowledgement } of acks) {
      connection.publish(reply, acknowledgement === 'ack' ? ackPayload : acknowledgementPayload(acknowledgement));
    }
  }

  #laneFor(id: LaneId): Lane {
    const key = consumerKey(id);
    const known = this.#lanes.get(key);
    if (known !== undefined) {
      return known;
    }
    const consumer = functionConsumer(id.function);
    const subject = `${this.#broker.apiPrefix}.CONSUMER.MSG.NEXT.${queueStream(id.queue)}.${consumer}`;
    this.#lastIndex += 1;
    const index = this.#lastIndex;
    const lane = { index, queue: id.queue, function: id.function, subject, pulls: new OutstandingPulls() };
    this.#lanes.set(key, lane);
    this.#laneByIndex.set(index, lane);
    return lane;
  }
}

function consumerKey(lane: LaneId): string {
  return `${queueStream(lane.queue)}/${functionConsumer(lane.function)}`;
}

/**
 * Whether a call ends with it. The others only make sense while the lease runs: a late nak would take the call away
 * from the worker that has it now, and the call would run twice.
 */
function settles(acknowledgement: Acknowledgement): boolean {
  return acknowledgement === 'ack' || (typeof acknowledgement === 'object' && 'term' in acknowledgement);
}

/** How many calls a request that has ended leaves undelivered; undefined if the broker does not say. */
function unfilledOf(message: Msg, description: string): number | undefined {
  if (description.startsWith('Exceeded')) {
    return Number.POSITIVE_INFINITY; // refused when it came: all of them
  }
  const pending = message.headers?.get('Nats-Pending-Messages') ?? '';
  return pending === '' ? undefined : Number(pending);
}
