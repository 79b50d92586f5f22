import { setTimeout as delay } from 'node:timers/promises';
import { createInbox, errors, type NatsConnection } from '@nats-io/transport-node';
import { QueueError } from '../../errors.ts';
import { BrokerClock } from '../clock/index.ts';
import { settledWithin } from '../time-limit.ts';
import { isRefusedLogin, refusedLogin } from './connect-failure.ts';
import { connectToNats, type NatsAddress } from './connect-to-nats.ts';
import type { QueueLogger } from './queue-logger.ts';
import { RetryLog } from './retry-log.ts';

export interface BrokerOptions extends NatsAddress {
  /** The JetStream domain that our streams are in. Default: that of the servers which we connect to. */
  readonly domain?: string | undefined;
  readonly logger: QueueLogger;
  /** Called once if the broker is lost for good and the process cannot continue. */
  readonly onFatal: (error: QueueError) => void;
}

/** Longest wait between two attempts to connect for the first time. */
const maxConnectWaitMs = 2_000;

/** Consecutive timeouts after which another server is tried. */
const maxUnanswered = 2;

/** Longest wait for the server to take what is buffered, when we stop. */
const drainLimitMs = 2_000;

/**
 * The connection to NATS, kept for the life of a process. Connects in the background, so that a process can start
 * before its broker, answers at once whether the broker is there, and comes back by itself after an outage.
 */
export class Broker implements AsyncDisposable {
  /** The time by which everything stored is judged. */
  readonly clock = new BrokerClock();
  readonly #options: BrokerOptions;
  readonly #stopping = new AbortController();
  readonly #onConnect = new Set<(connection: NatsConnection) => void>();
  readonly #onDisconnect = new Set<() => void>();
  #connection: NatsConnection | undefined;
  #connected = false;
  #suspected = false;
  /** When the server has last answered a ping that a suspicion led to, on the monotonic clock. */
  #pingedAt = Number.NEGATIVE_INFINITY;
  /** Time-outs since JetStream last answered, while the server itself did. */
  #unanswered = 0;
  #connecting: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  /** Connections so far, the first included. */
  #connects = 0;
  /** When the server has last refused us to publish, on the monotonic clock: by the first two tokens of the subject. */
  readonly #deniedAt = new Map<string, number>();

  constructor(options: BrokerOptions) {
    this.#options = options;
  }

  /** False while the connection is known to be away, or the server behind it does not answer. */
  get connected(): boolean {
    return this.#connected && !this.#suspected;
  }

  /** False while the connection is known to be away. Messages that must not get lost are sent even to a slow server. */
  get attached(): boolean {
    return this.#connected;
  }

  /** The state of the connection, in one word for people. */
  get state(): 'connected' | 'not answering' | 'disconnected' {
    if (!this.#connected) {
      return 'disconnected';
    }
    return this.#suspected ? 'not answering' : 'connected';
  }

  /** How often a lost connection has come back. */
  get reconnects(): number {
    return Math.max(0, this.#connects - 1);
  }

  /** The connection, also while it is being restored; undefined before the first. */
  get connection(): NatsConnection | undefined {
    return this.#connection;
  }

  /** The JetStream domain that our streams are in; undefined: that of the server which we are connected to. */
  get domain(): string | undefined {
    return this.#options.domain;
  }

  /** The prefix of all subjects of JetStream's API. */
  get apiPrefix(): string {
    return this.domain === undefined ? '$JS.API' : `$JS.${this.domain}.API`;
  }

  /** A new subject for answers. */
  createInbox(): string {
    return createInbox(this.#options.inboxPrefix);
  }

  /** `listener` runs on the first connection and on each one after an outage, and at once if already connected. */
  onConnect(listener: (connection: NatsConnection) => void): void {
    this.#onConnect.add(listener);
    if (this.#connected && this.#connection !== undefined) {
      listener(this.#connection);
    }
  }

  onDisconnect(listener: () => void): void {
    this.#onDisconnect.add(listener);
  }

  /** Begins to connect, and returns at once. */
  start(): void {
    this.#connecting ??= this.#connectUntilStopped().catch((error: unknown) => this.#fail(error));
  }

  /**
   * Call this when an answer did not come in time. The server counts as away until it answers a ping, so that the next
   * callers are refused at once instead of waiting for their own timeout (P1). A request that was sent before the last
   * such answer says nothing about the server as it is now.
   * @param sentAt when the request was sent, on the monotonic clock, in milliseconds
   */
  suspect(sentAt = performance.now()): void {
    if (!this.connected || this.#connection === undefined) {
      return;
    }
    if (sentAt < this.#pingedAt) {
      this.#noteUnanswered();
      return;
    }
    this.#suspected = true;
    this.#options.logger.warn({}, 'NATS does not answer');
    const connects = this.#connects;
    const cleared = (): void => {
      // A ping of the previous connection says nothing about this one.
      if (connects === this.#connects) {
        this.#suspected = false;
        this.#pingedAt = performance.now();
        this.#noteUnanswered();
      }
    };
    this.#connection.flush().then(cleared, cleared);
  }

  /**
   * Whether the server has refused us to publish, as we lack the permission. It says so for no message in particular: that
   * one gets no answer.
   * @param space the first two tokens of the subject
   * @param since on the monotonic clock, in milliseconds
   */
  hasDenied(space: string, since: number): boolean {
    return (this.#deniedAt.get(space) ?? Number.NEGATIVE_INFINITY) >= since;
  }

  /** Call this when JetStream has answered: it is reachable through this server. */
  answered(): void {
    this.#unanswered = 0;
  }

  /** A server that has lost the others of its cluster answers us, and stores nothing: another one may have them. */
  #noteUnanswered(): void {
    this.#unanswered += 1;
    if (
      this.#unanswered < maxUnanswered ||
      this.#options.servers.length < 2 ||
      this.#connection?.isClosed() !== false
    ) {
      return;
    }
    this.#unanswered = 0;
    this.#options.logger.warn(
      { server: this.#connection.getServer() },
      'JetStream does not answer here, trying the next server',
    );
    this.#connection.reconnect().catch(() => {}); // closed meanwhile
  }

  /**
   * Sends what is buffered and closes, within a few seconds whatever the server does. Legal before `start` and more
   * than once.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    this.#stopping.abort();
    await this.#connecting;
    const connection = this.#connection;
    if (connection === undefined || connection.isClosed()) {
      return;
    }
    if (this.connected) {
      await settledWithin(connection.drain(), drainLimitMs);
    }
    // Without a server a drain is not possible, and a failed drain leaves the connection open.
    await connection.close();
  }

  async #connectUntilStopped(): Promise<void> {
    const { signal } = this.#stopping;
    const retries = new RetryLog(this.#options.logger, 'NATS is not reachable yet');
    for (let attempt = 0; !signal.aborted; attempt++) {
      try {
        await this.#adopt(await connectToNats(this.#options, signal));
        return;
      } catch (error) {
        if (error instanceof QueueError && !error.temporary) {
          throw error;
        }
        const waitMs = Math.min(maxConnectWaitMs, 100 * 2 ** attempt);
        retries.failed(error, { waitMs });
        await delay(waitMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  async #adopt(connection: NatsConnection): Promise<void> {
    if (this.#stopping.signal.aborted) {
      await connection.close();
      return;
    }
    this.#connection = connection;
    void this.#followStatus(connection);
    void connection.closed().then((error) => {
      this.#setDisconnected();
      this.#fail(error ?? new QueueError('connection_closed', 'the connection to NATS was closed for good'));
    });
    this.#setConnected(connection, 'NATS connected');
  }

  async #followStatus(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect' || status.type === 'staleConnection') {
        this.#setDisconnected();
      } else if (status.type === 'reconnect') {
        this.#setConnected(connection, 'NATS connected again');
      } else if (status.type === 'error') {
        const { error } = status;
        if (error instanceof errors.PermissionViolationError && error.operation === 'publish') {
          this.#deniedAt.set(error.subject.split('.', 2).join('.'), performance.now());
        }
        const err = new QueueError('broker', error.message, { cause: error });
        this.#options.logger.error({ err }, 'NATS reported an error');
      }
    }
  }

  #setConnected(connection: NatsConnection, message: string): void {
    if (connection.isClosed() || connection.isDraining()) {
      return; // stopped in the meantime
    }
    this.#connects += 1;
    this.#connected = true;
    this.#suspected = false;
    this.#options.logger.info({ server: connection.getServer(), version: connection.info?.version }, message);
    for (const listener of this.#onConnect) {
      listener(connection);
    }
  }

  #setDisconnected(): void {
    if (!this.#connected) {
      return;
    }
    this.#connected = false;
    if (!this.#stopping.signal.aborted) {
      this.#options.logger.warn({}, 'NATS connection lost');
    }
    for (const listener of this.#onDisconnect) {
      listener();
    }
  }

  #fail(cause: unknown): void {
    if (!this.#stopping.signal.aborted) {
      this.#options.onFatal(toFatalError(cause));
    }
  }
}

function toFatalError(cause: unknown): QueueError {
  if (cause instanceof QueueError) {
    return cause;
  }
  return isRefusedLogin(cause)
    ? refusedLogin(cause)
    : new QueueError('connection_closed', 'the connection to NATS is lost for good', { cause });
}
