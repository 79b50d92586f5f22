import { AckPolicy, type JetStreamManager, type JsMsg } from '@nats-io/jetstream';
import type { RecordCodec } from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { readHeader } from './delivery.ts';

export interface SourceOptions {
  readonly topology: Pick<QueueTopology, 'manager' | 'ready'>;
  /** Lease of a message in milliseconds: how long it stays with a worker that does not renew it. */
  readonly ackWaitMs: number;
}

/** A due message that a worker has received. */
export interface WorkDelivery<T> {
  /** Undefined for a message that cannot be read. */
  readonly task: T | undefined;
  readonly streamSequence: number;
  readonly deliveries: number;
  /** Dealt with: the broker removes it. */
  ack(): void;
  /** Not now: the broker hands it out again after `delayMs`. */
  nak(delayMs?: number): void;
  /** Renews the lease for another `ackWaitMs`. */
  inProgress(): void;
}

/** Work that all workers share, in a stream of its own. */
interface Work<D> {
  readonly stream: string;
  readonly consumer: string;
  /** The subjects of what is due. */
  readonly filter: string | readonly string[];
  /** Whether messages come without their bodies. Default: with them. */
  readonly headersOnly?: boolean;
  readonly toDelivery: (message: JsMsg) => D;
}

const nanosPerMs = 1_000_000;
const fetchMs = 5_000;

/** Takes due messages from a stream that all workers share and that is not a queue of calls. */
export class WorkSource<D> {
  readonly #options: SourceOptions;
  readonly #work: Work<D>;
  #ensuredWith: JetStreamManager | undefined;

  constructor(options: SourceOptions, work: Work<D>) {
    this.#options = options;
    this.#work = work;
  }

  /**
   * Asks once for up to `count` messages and passes each to `take` as it comes. Resolves when they have come or after
   * some seconds. Throws `QueueError`.
   */
  async fetch(count: number, take: (delivery: D) => void, signal: AbortSignal): Promise<void> {
    const { stream, consumer, toDelivery } = this.#work;
    try {
      await this.#ensureConsumer();
      const source = await this.#options.topology.manager.jetstream().consumers.get(stream, consumer);
      const messages = await source.fetch({ max_messages: count, expires: fetchMs });
      const stop = (): void => messages.stop();
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) {
        stop(); // before the request was sent
      }
      for await (const message of messages) {
        take(toDelivery(message));
      }
      signal.removeEventListener('abort', stop);
    } catch (error) {
      throw asQueueError(error, `${consumer} cannot be fetched`);
    }
  }

  async #ensureConsumer(): Promise<void> {
    const { manager } = this.#options.topology;
    const { stream, consumer, filter, headersOnly = false } = this.#work;
    if (this.#ensuredWith === manager) {
      return;
    }
    const config = {
      durable_name: consumer,
      ...(typeof filter === 'string' ? { filter_subject: filter } : { filter_subjects: [...filter] }),
      headers_only: headersOnly,
      ack_policy: AckPolicy.Explicit,
      ack_wait: this.#options.ackWaitMs * nanosPerMs,
      max_deliver: -1,
      max_ack_pending: -1,
    };
    await manager.consumers.add(stream, config).catch(() => manager.consumers.update(stream, consumer, config));
    this.#ensuredWith = manager;
  }
}

/**
 * @param subjectOf the subject of a task: a message whose subject is that of another task cannot be read. Default: any
 */
export function toWorkDelivery<T>(
  message: JsMsg,
  codec: RecordCodec<T>,
  subjectOf: (task: T) => string = () => message.subject,
): WorkDelivery<T> {
  const task = codec.decode(readHeader(message, codec.header) ?? '');
  return {
    task: task !== undefined && subjectOf(task) === message.subject ? task : undefined,
    streamSequence: message.seq,
    deliveries: message.info.deliveryCount,
    ack: () => message.ack(),
    nak: (delayMs) => message.nak(delayMs),
    inProgress: () => message.working(),
  };
}
