import type { Msg, MsgHdrs, NatsConnection, Subscription } from '@nats-io/transport-node';
import { type PublishResult, refused } from '../../publish-result.ts';
import type { Broker } from '../connecting/index.ts';
import type { StreamRoom } from '../layout/index.ts';
import { inboxCallback, type OutgoingHeaders, TickBatch } from '../messages/index.ts';
import { PendingTable } from './pending-table.ts';
import { parsePubAck } from './pub-ack.ts';

export interface Outgoing {
  readonly subject: string;
  readonly headers: OutgoingHeaders;
  readonly body: Uint8Array;
  /** Sent right before it, in order; the message's PubAck confirms them as well. See `toAtomicBatch`. */
  readonly preceding?: readonly Omit<Outgoing, 'preceding'>[];
  /** Messages of one group go to one stream without expectations, so they may be stored together. See `GroupCommit`. */
  readonly group?: string;
}

export interface PublisherOptions {
  /** How long to wait for the broker's PubAck, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number;
  /**
   * Most messages that wait for their PubAck at once; one more is `overloaded`. Default 8,192: nats-server itself
   * buffers at most 10,000 per stream.
   */
  readonly maxPending?: number;
  /**
   * Most bytes of bodies that wait for their PubAck at once. Default 128 MiB, as much as nats-server buffers per
   * stream.
   */
  readonly maxPendingBytes?: number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
  /** Enforces the limits of streams. Default: no limits. */
  readonly room?: Pick<StreamRoom, 'refusalFor'>;
}

/** About what headers take; large ones take more. */
const headerBytes = 1024;

interface Pending {
  readonly id: number;
  readonly message: Outgoing;
  readonly deadline: number;
  readonly bytes: number;
  readonly resolve: (result: PublishResult) => void;
}

/**
 * Publishes to JetStream and returns the result for each message.
 *
 * A plain publish with a reply to one shared inbox, matched to its PubAck by a number, costs a third of the client's
 * own `js.publish()`. One timer watches all deadlines: all have the same length, so the oldest comes first.
 */
export class Publisher {
  readonly #broker: Broker;
  /** How long a message may wait for its PubAck, in milliseconds. */
  readonly timeoutMs: number;
  readonly #maxPending: number;
  readonly #maxPendingBytes: number;
  readonly #now: () => number;
  readonly #room: Pick<StreamRoom, 'refusalFor'> | undefined;
  readonly #pending: PendingTable<Pending>;
  readonly #batch = new TickBatch<Pending>((items) => this.#send(items));
  #pendingBytes = 0;
  #inbox = '';
  #subscription: Subscription | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #idle: (() => void)[] = [];

  constructor(broker: Broker, options: PublisherOptions = {}) {
    const { timeoutMs = 5_000, maxPending = 8_192, maxPendingBytes = 128 * 1024 * 1024 } = options;
    const { now = performance.now.bind(performance) } = options;
    this.#broker = broker;
    this.timeoutMs = timeoutMs;
    this.#maxPending = maxPending;
    this.#pending = new PendingTable(maxPending);
    this.#maxPendingBytes = maxPendingBytes;
    this.#now = now;
    this.#room = options.room;
    broker.onConnect((connection) => this.#listen(connection));
    broker.onDisconnect(() => this.#refuseAll('the connection was lost before the broker confirmed'));
  }

  /** Never throws: every expected result is a value. */
  publish(message: Outgoing): Promise<PublishResult> {
    if (!this.#broker.connected) {
      return Promise.resolve(refused('unavailable', 'the broker is not connected'));
    }
    const bytes = bytesOf(message);
    if (this.#pending.size >= this.#maxPending || this.#pendingBytes + bytes > this.#maxPendingBytes) {
      return Promise.resolve(refused('overloaded', `${this.#pending.size} messages wait for the broker`));
    }
    const refusal = this.#room?.refusalFor(
      message.subject,
      bytes + headerBytes * (1 + (message.preceding?.length ?? 0)),
    );
    if (refusal !== undefined) {
      return Promise.resolve(refused(refusal, 'STREAM_MAX_BYTES leaves no room for it now'));
    }
    return new Promise((resolve) => {
      const deadline = this.#now() + this.timeoutMs;
      const pending = this.#pending.add((id) => ({ id, message, deadline, bytes, resolve }));
      this.#pendingBytes += bytes;
      this.#batch.add(pending);
      this.#sweep ??= setTimeout(this.#refuseOverdue, this.timeoutMs).unref();
    });
  }

  /** Resolves once no message waits for a PubAck, at the latest after one timeout. */
  async flush(): Promise<void> {
    if (this.#pending.size > 0) {
      await new Promise<void>((resolve) => this.#idle.push(resolve));
    }
  }

  /** A new inbox for each connection: no answer comes twice, and none to a message of an earlier connection. */
  #listen(connection: NatsConnection): void {
    this.#subscription?.unsubscribe();
    this.#inbox = this.#broker.createInbox();
    const skip = this.#inbox.length + 1;
    this.#subscription = connection.subscribe(`${this.#inbox}.*`, {
      callback: inboxCallback((message) => {
        this.#broker.answered();
        this.#settle(Number(message.subject.slice(skip)), answerOf(message));
      }),
    });
  }

  #send(items: readonly Pending[]): void {
    const connection = this.#broker.connection;
    for (const { message, id } of items) {
      if (!this.#pending.has(id)) {
        continue; // refused in the meantime: a refused message must not be stored
      }
      const { subject, body, headers, preceding = [] } = message;
      // The client only encodes them.
      try {
        for (const before of preceding) {
          connection?.publish(before.subject, before.body, { headers: before.headers as MsgHdrs });
        }
        connection?.publish(subject, body, { headers: headers as MsgHdrs, reply: `${this.#inbox}.${id}` });
      } catch (error) {
        this.#settle(id, sendFailure(error));
      }
    }
  }

  #settle(id: number, result: PublishResult): void {
    const pending = this.#pending.take(id);
    if (pending === undefined) {
      return; // an answer after its deadline
    }
    this.#pendingBytes -= pending.bytes;
    pending.resolve(result);
    if (this.#pending.size === 0) {
      for (const resolve of this.#idle.splice(0)) {
        resolve();
      }
    }
  }

  readonly #refuseOverdue = (): void => {
    const now = this.#now();
    this.#sweep = undefined;
    for (let oldest = this.#pending.oldest; oldest !== undefined; oldest = this.#pending.oldest) {
      if (oldest.deadline > now) {
        this.#sweep = setTimeout(this.#refuseOverdue, oldest.deadline - now).unref();
        return;
      }
      this.#settle(oldest.id, refused('timeout', `no answer within ${this.timeoutMs} ms`));
      this.#broker.suspect(oldest.deadline - this.timeoutMs);
    }
  };

  #refuseAll(detail: string): void {
    clearTimeout(this.#sweep);
    this.#sweep = undefined;
    for (let oldest = this.#pending.oldest; oldest !== undefined; oldest = this.#pending.oldest) {
      this.#settle(oldest.id, refused('unavailable', detail));
    }
  }
}

function bytesOf({ body, preceding }: Outgoing): number {
  return preceding === undefined
    ? body.length
    : preceding.reduce((sum, before) => sum + before.body.length, body.length);
}

function answerOf(message: Msg): PublishResult {
  return parsePubAck(message.string(), message.headers?.code ?? 0);
}

function sendFailure(error: unknown): PublishResult {
  const text = error instanceof Error ? error.message : String(error);
  return /max_payload/.test(text) ? refused('too_large', text) : refused('unavailable', text);
}
