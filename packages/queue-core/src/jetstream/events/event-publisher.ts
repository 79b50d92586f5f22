import { randomUUID } from 'node:crypto';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { AttemptRecord } from '../../attempts/index.ts';
import { type Call, type GenerationKey, generationTokens } from '../../call/index.ts';
import {
  type CallEvent,
  EventBundle,
  eventSubjects,
  eventsWantedCodec,
  type StartedCall,
  toAcceptedEvent,
  toAttemptEvent,
  toCallbackEvent,
  toEndedEvent,
  toStartedEvent,
} from '../../events/index.ts';
import type { CallbackState, Outcome } from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback, onFirstConnect } from '../messages/index.ts';

/** How long events are collected before they are sent, in milliseconds. */
const bundleMs = 100;
/** Most bytes of a bundle. NATS takes 1 MiB by default, and operators may allow less. */
const maxBundleBytes = 256 * 1024;
/** How many ended calls are remembered, for the events of their callbacks. */
const maxEnds = 1_024;
/** How many outcomes are read at once, for the events of callbacks whose call has ended elsewhere. */
const maxReads = 4;

/** A callback that was tried. */
export interface TriedCallback extends GenerationKey {
  readonly function: string;
}

type FindOutcome = () => Promise<{ readonly outcome: Outcome } | undefined>;

/**
 * Publishes what happens to calls while a gateway has listeners. Until then each event costs a look at a flag. A bundle
 * is bounded, and says how many events were left out. Nothing depends on it: no method throws or waits.
 */
export class EventPublisher {
  readonly #broker: Pick<Broker, 'connected' | 'connection' | 'onConnect' | 'onDisconnect'>;
  readonly #limits = { events: 0, bytes: maxBundleBytes };
  readonly #bundle = new EventBundle(this.#limits);
  readonly #from = randomUUID();
  readonly #ends = new Map<string, Outcome>();
  #sequence = 0;
  #isWanted = false;
  #reads = 0;
  #lease: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(broker: Pick<Broker, 'connected' | 'connection' | 'onConnect' | 'onDisconnect'>) {
    this.#broker = broker;
    onFirstConnect(broker, (connection) => this.#listen(connection));
    broker.onConnect((connection) => connection.publish(eventSubjects.hello));
    // A sequence that is skipped says that events are lost.
    broker.onDisconnect(() => this.#skip());
  }

  /** Whether a gateway has listeners. */
  get isWanted(): boolean {
    return this.#isWanted;
  }

  /** The call is stored: accepted, replayed, or handed on in a chain. */
  accepted(call: Call): void {
    if (this.#isWanted) {
      this.#add(call.function, () => toAcceptedEvent(call));
    }
  }

  /** An attempt begins. */
  started(call: StartedCall, maxRetries: number, attempt: AttemptRecord): void {
    if (this.#isWanted) {
      this.#add(call.function, () => toStartedEvent(call, maxRetries, attempt));
    }
  }

  /** An attempt has ended. `attempt.retryAt` says that another one follows. */
  attempted(call: StartedCall, maxRetries: number, attempt: AttemptRecord): void {
    if (this.#isWanted) {
      this.#add(call.function, () => toAttemptEvent(call, maxRetries, attempt));
    }
  }

  /** The outcome is stored. */
  ended(outcome: Outcome): void {
    if (!this.#isWanted) {
      return;
    }
    this.#add(outcome.function, () => toEndedEvent(outcome));
    if (outcome.callbackUrl !== undefined && outcome.status !== 'cancelled') {
      this.#remember(outcome);
    }
  }

  /** @param find reads the outcome of the call */
  callback(of: TriedCallback, state: CallbackState, find: FindOutcome): void {
    if (!this.#isWanted) {
      return;
    }
    const known = this.#ends.get(generationTokens(of));
    if (known !== undefined) {
      this.#add(of.function, () => toCallbackEvent(known, state));
    } else if (this.#reads < maxReads && this.#bundle.hasRoom(of.function)) {
      void this.#readAndAdd(of, state, find);
    } else {
      this.#miss(of.function);
    }
  }

  /** Sends what is collected. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#bundle.isEmpty) {
      return;
    }
    const { connection, connected } = this.#broker;
    if (connection === undefined || !connected || connection.isClosed() || connection.isDraining()) {
      this.#bundle.clear();
      this.#skip();
      return;
    }
    this.#sequence += 1;
    connection.publish(eventSubjects.happened, this.#bundle.take(this.#from, this.#sequence));
  }

  #listen(connection: NatsConnection): void {
    const callback = inboxCallback((message) => this.#want(message));
    connection.subscribe(eventSubjects.wanted, { callback });
  }

  #want(message: Msg): void {
    const wanted = eventsWantedCodec.decode(message.string());
    if (wanted === undefined) {
      return;
    }
    this.#isWanted = true;
    this.#limits.events = wanted.most;
    clearTimeout(this.#lease);
    this.#lease = setTimeout(() => this.#lapse(), wanted.leaseMs).unref();
  }

  #lapse(): void {
    this.#isWanted = false;
    this.#bundle.clear();
    this.#ends.clear();
  }

  #skip(): void {
    if (this.#isWanted) {
      this.#sequence += 1;
    }
  }

  #add(name: string, toEvent: () => CallEvent): void {
    this.#bundle.add(name, toEvent);
    this.#flushSoon();
  }

  #miss(name: string): void {
    this.#bundle.miss(name);
    this.#flushSoon();
  }

  #flushSoon(): void {
    this.#timer ??= setTimeout(() => this.flush(), bundleMs).unref();
  }

  async #readAndAdd({ function: name }: TriedCallback, state: CallbackState, find: FindOutcome): Promise<void> {
    this.#reads += 1;
    const found = await find().catch(() => undefined); // the broker is away: the event is left out
    this.#reads -= 1;
    if (found === undefined) {
      this.#miss(name);
    } else {
      this.#add(name, () => toCallbackEvent(found.outcome, state));
    }
  }

  #remember(outcome: Outcome): void {
    if (this.#ends.size >= maxEnds) {
      const [oldest = ''] = this.#ends.keys();
      this.#ends.delete(oldest);
    }
    this.#ends.set(generationTokens(outcome), toEndedEvent(outcome).ended?.outcome ?? outcome);
  }
}
