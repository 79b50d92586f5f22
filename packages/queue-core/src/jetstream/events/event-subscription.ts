import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import { type CallEvent, decodeEventBundle, EventOrder, eventSubjects, eventsWantedCodec } from '../../events/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback } from '../messages/index.ts';
import { settledWithin } from '../time-limit.ts';

/** Why an unknown number of events is missing: the connection to the broker is lost, or messages of a process are. */
export type LossReason = 'broker_unavailable' | 'messages_lost';

/** Events as near to the order in which they happened as can be told. */
export interface EventRelease {
  readonly events: readonly CallEvent[];
  /** How many were left out: see `EventBundleRecord`. */
  readonly missed: Readonly<Record<string, number>>;
}

export interface EventListener {
  receive(release: EventRelease): void;
  /** An unknown number of events is missing. */
  lost(reason: LossReason): void;
}

/** How often the gateway says that it has listeners, and how long that holds, in milliseconds. */
const announceMs = 2_000;
const leaseMs = 3 * announceMs;
/** How long events wait for those that belong before them: longer than any process collects its own. */
const holdMs = 250;
/** How long to wait for the server to have taken the announcement. */
const announcedMs = 2_000;
/** Most events of a bundle, for all processes together and for one. */
const mostOfAll = 1_024;
const mostOfOne = 128;
const leastOfOne = 8;
/** How many processes are followed. */
const maxProcesses = 1_000;

/**
 * The events of all processes, for one listener. While it is open, it says again and again that events are wanted, and
 * processes stop by themselves once they no longer hear that.
 */
export class EventSubscription {
  readonly #broker: Pick<Broker, 'connected' | 'connection' | 'onConnect' | 'onDisconnect'>;
  readonly #listener: EventListener;
  readonly #sequences = new Map<string, number>();
  #order = new EventOrder();
  #heard = new Set<string>();
  #subscriptions: Subscription[] = [];
  #opened: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    broker: Pick<Broker, 'connected' | 'connection' | 'onConnect' | 'onDisconnect'>,
    listener: EventListener,
  ) {
    this.#broker = broker;
    this.#listener = listener;
    broker.onConnect(() => this.#announce());
    broker.onDisconnect(() => this.#lose());
  }

  /** Whether it can be opened. */
  get available(): boolean {
    const { connected, connection } = this.#broker;
    return connected && connection?.isClosed() === false;
  }

  /** Resolves once events that happen from now on are received. Does nothing while it is open or the broker is away. */
  async open(): Promise<void> {
    const { connection } = this.#broker;
    if (connection !== undefined && this.available) {
      this.#opened ??= this.#open(connection);
    }
    await this.#opened;
  }

  close(): void {
    clearInterval(this.#timer);
    for (const subscription of this.#subscriptions) {
      subscription.unsubscribe();
    }
    this.#subscriptions = [];
    this.#opened = undefined;
    this.#sequences.clear();
    this.#order = new EventOrder();
  }

  async #open(connection: NatsConnection): Promise<void> {
    const listen = (subject: string, handle: (message: Msg) => void): Subscription =>
      connection.subscribe(subject, { callback: inboxCallback(handle) });
    this.#subscriptions = [
      listen(eventSubjects.happened, (message) => this.#receive(message)),
      listen(eventSubjects.hello, () => this.#announce()),
    ];
    this.#announce();
    this.#timer = setInterval(() => this.#announce(), announceMs).unref();
    // The server forwards messages in their order: what a process stores from now on, it stores after it has heard this.
    await settledWithin(connection.flush(), announcedMs);
  }

  #announce(): void {
    const { connection } = this.#broker;
    if (this.#subscriptions.length === 0 || connection === undefined || !this.available) {
      return;
    }
    const share = Math.floor(mostOfAll / Math.max(1, this.#heard.size));
    const most = Math.min(mostOfOne, Math.max(leastOfOne, share));
    this.#heard = new Set();
    connection.publish(eventSubjects.wanted, eventsWantedCodec.encode({ v: 1, leaseMs, most }));
  }

  #lose(): void {
    if (this.#subscriptions.length > 0) {
      this.#listener.lost('broker_unavailable');
    }
  }

  #receive(message: Msg): void {
    const bundle = decodeEventBundle(message.string());
    if (bundle === undefined) {
      return;
    }
    const { from, sequence, events, missed } = bundle;
    const before = this.#sequences.get(from);
    this.#note(from, sequence);
    const order = this.#order;
    const release = order.hold(events);
    setTimeout(() => {
      if (order === this.#order) {
        this.#listener.receive({ events: release(), missed });
      }
    }, holdMs).unref();
    if (before !== undefined && sequence !== before + 1) {
      this.#listener.lost('messages_lost');
    }
  }

  #note(from: string, sequence: number): void {
    this.#heard.add(from);
    this.#sequences.delete(from);
    this.#sequences.set(from, sequence);
    if (this.#sequences.size > maxProcesses) {
      const [oldest = ''] = this.#sequences.keys();
      this.#sequences.delete(oldest);
    }
  }
}
