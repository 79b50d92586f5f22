import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { type BatchKey, batchEndSubject } from '../../batches/index.ts';
import { addressOf, type CallIdentity } from '../../call/index.ts';
import { anyOutcomeSubject, signalSubject } from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback } from '../messages/index.ts';

/** What to watch of a call: only its end, or each change. */
export type WatchScope = 'end' | 'changes';

/**
 * A watched message is still on its way to the stream: this long after it we look again, in milliseconds, in case the
 * first look came too early.
 */
const echoesMs = [0, 10, 50, 250, 1_000];
/** Longest wait without a signal, in case one got lost. */
const backstopMs = 30_000;

/** A subscription to the changes of one call. */
export class CallWatch implements Disposable {
  readonly #subscriptions: Subscription[];
  readonly #onClose: () => void;
  readonly #timers = new Set<NodeJS.Timeout>();
  #heard = false;
  #wake: () => void = () => {};

  constructor(connection: NatsConnection, subjects: readonly string[], onClose: () => void) {
    const callback = inboxCallback(() => this.hear());
    this.#subscriptions = subjects.map((subject) => connection.subscribe(subject, { callback }));
    this.#onClose = onClose;
  }

  /** The call may have changed. */
  hear(): void {
    for (const ms of echoesMs) {
      this.#after(ms);
    }
  }

  /** Resolves when the call may have changed since the last time, and when the signal aborts. */
  async next(signal: AbortSignal): Promise<void> {
    if (!this.#heard && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, backstopMs);
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        this.#wake = wake;
        signal.addEventListener('abort', wake, { once: true });
      });
    }
    this.#heard = false;
  }

  [Symbol.dispose](): void {
    for (const timer of this.#timers) {
      clearTimeout(timer);
    }
    for (const subscription of this.#subscriptions) {
      subscription.unsubscribe();
    }
    this.#onClose();
  }

  #after(ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#heard = true;
      this.#wake();
    }, ms);
    this.#timers.add(timer);
  }
}

/**
 * Watches calls without polling the broker. It receives outcomes on their way into their stream, and other changes from
 * the workers: nothing is stored for it.
 */
export class CallWatches {
  readonly #broker: Pick<Broker, 'connection'>;
  readonly #open = new Set<CallWatch>();

  constructor(broker: Pick<Broker, 'connection' | 'onConnect'>) {
    this.#broker = broker;
    // Messages sent during an outage were missed.
    broker.onConnect(() => {
      for (const watch of this.#open) {
        watch.hear();
      }
    });
  }

  /** Undefined before the first connection. Dispose it. */
  open(call: CallIdentity, scope: WatchScope): CallWatch | undefined {
    const ends = anyOutcomeSubject(addressOf(call));
    return this.#watch(scope === 'end' ? [ends] : [ends, signalSubject(call, 'moved')]);
  }

  /** Watches the end of a batch, as `open` watches that of a call. */
  openBatch(batch: BatchKey): CallWatch | undefined {
    return this.#watch([batchEndSubject(batch)]);
  }

  #watch(subjects: readonly string[]): CallWatch | undefined {
    const { connection } = this.#broker;
    if (connection === undefined || connection.isClosed()) {
      return undefined;
    }
    const watch: CallWatch = new CallWatch(connection, subjects, () => this.#open.delete(watch));
    this.#open.add(watch);
    return watch;
  }
}
