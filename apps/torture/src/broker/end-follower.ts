import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { DeliverPolicy, type JsMsg, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

/** The end of a call as the broker records it. */
export interface RecordedEnd {
  /** By the broker's clock: Unix time in milliseconds. */
  readonly at: number;
  readonly callId: string;
  /** For a step: the first call of its chain. */
  readonly rootId?: string | undefined;
  readonly submitter?: string | undefined;
  readonly startTime: string;
  readonly status: string;
  readonly attempts: number;
  readonly functionStatus?: number | undefined;
  readonly reason?: string | undefined;
}

export const endStream = 'OUTCOMES';
/**
 * `outcomes.<callId>.<submitter>.<startTime>.<generation>`, without the states of callbacks and the records of batches.
 */
const endSubject = /^outcomes\.[^.]+\.[^.]+\.\d+\.\d+$/;
const againMs = 200;
/** A consumer that delivers nothing for this time may be lost. */
const silentMs = 5_000;

/**
 * Reads every end as it is recorded, before it can be forgotten. An end that is stored again unchanged, because its
 * call is still in motion, counts as one end; a different end of the same call is a second one.
 */
export class EndFollower {
  readonly #connection: NatsConnection;
  readonly #over = new AbortController();
  readonly #ends: RecordedEnd[] = [];
  readonly #seen = new Set<string>();
  readonly #following: Promise<void>;
  #sequence = 0;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
    this.#following = this.#follow();
  }

  /** In the order in which they were recorded. */
  get ends(): readonly RecordedEnd[] {
    return this.#ends;
  }

  /** The last message of any kind that was read. */
  get sequence(): number {
    return this.#sequence;
  }

  async stop(): Promise<void> {
    this.#over.abort();
    await this.#following;
  }

  async #follow(): Promise<void> {
    while (!this.#over.signal.aborted) {
      // After any error, the next consumer begins where this one stopped.
      await this.#read().catch(() => {});
      await delay(againMs);
    }
  }

  async #read(): Promise<void> {
    const consumer = await jetstream(this.#connection).consumers.get(endStream, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#sequence + 1,
      inactive_threshold: 30_000,
    });
    const messages = await consumer.consume({ max_messages: 1_000 });
    let heardAt = performance.now();
    const guard = setInterval(() => {
      if (this.#over.signal.aborted || performance.now() - heardAt > silentMs) {
        messages.stop();
      }
    }, againMs);
    try {
      for await (const message of messages) {
        heardAt = performance.now();
        this.#take(message);
      }
    } finally {
      clearInterval(guard);
    }
  }

  #take(message: JsMsg): void {
    this.#sequence = message.seq;
    if (!endSubject.test(message.subject)) {
      return;
    }
    const text = message.headers?.get('Asyncfn-Outcome') ?? '';
    const hash = createHash('sha256').update(message.subject).update(text).update(message.data).digest('base64');
    if (!this.#seen.has(hash)) {
      this.#seen.add(hash);
      this.#ends.push(toEnd(text, message.info.timestampNanos));
    }
  }
}

function toEnd(text: string, timestampNanos: number): RecordedEnd {
  const outcome = JSON.parse(text) as Omit<RecordedEnd, 'at'>;
  const { callId, rootId, submitter, startTime, status, attempts, functionStatus, reason } = outcome;
  return { at: timestampNanos / 1e6, callId, rootId, submitter, startTime, status, attempts, functionStatus, reason };
}
