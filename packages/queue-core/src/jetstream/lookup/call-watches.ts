import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { addressOf, type CallIdentity } from '../../call/index.ts';
import { anyOutcomeSubject, signalSubject } from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback } from '../messages/index.ts';

/** What is to be heard of a call: only its end, or each change. */
export type WatchScope = 'end' | 'changes';

/**
 * What is heard is on its way to the stream, not in it yet: so long after it we look again, in milliseconds, should the
 * first look have come too early.
 */
const echoesMs = [0, 10, 50, 250, 1_000];
/** A word that got lost must not let anybody wait for ever. */
const backstopMs = 30_000;

/** A subscription to what happens to one call. */
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

  /** Something has happened, or may have. */
  hear(): void {
    for (const ms of echoesMs) {
      this.#after(ms);
    }
  }

  /** Resolves when something may have changed since the last time, and when the signal aborts. */
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
 * Listens for what happens to calls, without asking the broker again and again. Ends are heard on their way into
 * their stream, moves from the workers: nothing is stored for it.
 */
export class CallWatches {
  readonly #broker: Pick<Broker, 'connection'>;
  readonly #open = new Set<CallWatch>();

  constructor(broker: Pick<Broker, 'connection' | 'onConnect'>) {
    this.#broker = broker;
    // What was said during an outage was not heard.
    broker.onConnect(() => {
      for (const watch of this.#open) {
        watch.hear();
      }
    });
  }

  /** Undefined before the first connection. To be disposed. */
  open(call: CallIdentity, scope: WatchScope): CallWatch | undefined {
    const { connection } = this.#broker;
    if (connection === undefined || connection.isClosed()) {
      return undefined;
    }
    const ends = anyOutcomeSubject(addressOf(call));
    const subjects = scope === 'end' ? [ends] : [ends, signalSubject(call, 'moved')];
    const watch: CallWatch = new CallWatch(connection, subjects, () => this.#open.delete(watch));
    this.#open.add(watch);
    return watch;
  }
}
