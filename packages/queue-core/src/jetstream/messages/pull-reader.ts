import type { ConsumerInfo } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { QueueError } from '../../errors.ts';
import { parseDeliveryInfo } from './delivery-info.ts';

export interface PulledMessage {
  readonly message: Msg;
  /** Its sequence in the stream. */
  readonly sequence: number;
}

/** The subjects of a pull. */
export interface PullSubjects {
  /** Where messages come in. */
  readonly inbox: string;
  /** The prefix of all subjects of JetStream's API. */
  readonly apiPrefix: string;
}

/** Longest wait for an answer. */
const limitMs = 5_000;

/**
 * Reads what a pull consumer has at the moment, and never waits for later messages: the client's own `fetch` waits for
 * a second before it learns that requested messages have vanished.
 */
export class PullReader {
  readonly #connection: NatsConnection;
  readonly #subject: string;
  /** Prefix of the inbox subjects, one for each pull. */
  readonly #inbox: string;
  #pulls = 0;
  #pending: number;

  constructor(connection: NatsConnection, consumer: ConsumerInfo, { inbox, apiPrefix }: PullSubjects) {
    this.#connection = connection;
    this.#inbox = inbox;
    this.#subject = `${apiPrefix}.CONSUMER.MSG.NEXT.${consumer.stream_name}.${consumer.name}`;
    this.#pending = consumer.num_pending;
  }

  /** Messages behind the last one read. */
  get pending(): number {
    return this.#pending;
  }

  /** The next `count` messages; fewer only if no more exist. Throws `QueueError`. */
  async read(count: number): Promise<PulledMessage[]> {
    const batch = Math.min(count, this.#pending);
    const read: PulledMessage[] = [];
    const reason = await this.#request(batch, (pulled, pending) => {
      read.push(pulled);
      this.#pending = pending;
      return pending > 0 && read.length < batch;
    });
    if (reason === 'nothing left') {
      this.#pending = 0;
    }
    return read;
  }

  /** Passes messages to `take` until it wants no more or the broker has no more. */
  async #request(batch: number, take: Take): Promise<'satisfied' | 'nothing left'> {
    this.#pulls += 1;
    const inbox = `${this.#inbox}.${this.#pulls}`;
    const end = new AbortController();
    try {
      return await new Promise((resolve, reject) => {
        const subscription = this.#connection.subscribe(inbox, { callback: answerTo(take, resolve, reject) });
        const timer = setTimeout(() => reject(new QueueError('broker', 'a pull was not answered')), limitMs);
        end.signal.addEventListener('abort', () => {
          clearTimeout(timer);
          subscription.unsubscribe();
        });
        this.#connection.publish(this.#subject, JSON.stringify({ batch, no_wait: true }), { reply: inbox });
      });
    } finally {
      end.abort();
    }
  }
}

/** Returns whether more is wanted. */
type Take = (pulled: PulledMessage, pending: number) => boolean;

function answerTo(take: Take, resolve: (reason: 'satisfied' | 'nothing left') => void, reject: (error: Error) => void) {
  return (error: Error | null, message: Msg): void => {
    if (error !== null) {
      reject(error);
      return;
    }
    const info = parseDeliveryInfo(message.reply ?? '');
    if (info !== undefined) {
      if (!take({ message, sequence: info.streamSequence }, info.pending)) {
        resolve('satisfied');
      }
    } else if (isEnd(message)) {
      resolve('nothing left');
    } else {
      reject(new QueueError('broker', `a pull was refused: ${message.headers?.description}`));
    }
  };
}

/** 404: no messages. 408: no more messages (NATS ADR-37). */
function isEnd({ headers }: Msg): boolean {
  return headers?.code === 404 || headers?.code === 408;
}
