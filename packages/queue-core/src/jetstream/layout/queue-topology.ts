import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { queueStream, scheduledFilter, streamQueue, waitingFilter } from '../../call/index.ts';
import { QueueError, type QueueErrorCode } from '../../errors.ts';
import type { FunctionConfig } from '../../functions/index.ts';
import type { StreamLimits } from '../../stream-limits.ts';
import { asQueueError, type Broker, type QueueLogger, RetryLog } from '../connecting/index.ts';
import { lastMessage, limitReads } from '../messages/index.ts';
import {
  ensureLane,
  ensureLaneExists,
  ensureScheduledCount,
  findLane,
  type LaneConfig,
  type LaneState,
  listConsumers,
  pauseLane,
  type QueueConsumers,
  type Resumption,
  removeLane,
} from './consumers.ts';
import { callbackStream } from './record-streams.ts';
import { openJetStream } from './server-check.ts';
import { StreamLayout } from './stream-layout.ts';
import { listQueues } from './streams.ts';

export interface TopologyOptions {
  readonly replicas: number;
  /** How large streams may become. Default: without limits. */
  readonly limits?: StreamLimits;
  /** Lease of a call, in milliseconds: how long it stays with a worker that gives no sign of life. */
  readonly ackWaitMs: number;
  /** Whether this process may change the consumers of functions (a worker) or only adds missing ones (a gateway). */
  readonly ownsLanes: boolean;
  /**
   * Whether a function is paused, for targets that do not say; undefined while unknown: then no consumer is created,
   * because it would deliver calls of a paused function. Default: pauses are left unchanged.
   */
  readonly isPaused?: (name: string) => boolean | undefined;
  /** Called before the consumer of a function is resumed, since this process may be out of date. Default: yes. */
  readonly mayResume?: (name: string) => Promise<Resumption>;
  /** How long outcomes are kept, in milliseconds, if this process sets it (a gateway). Others leave it unchanged. */
  readonly resultTtlMs?: number;
  /** The longest that a read of a message waits for those before it, in milliseconds. Default 10,000. */
  readonly readWaitMs?: number;
  /** Queues that must exist before the process is ready. */
  readonly queues: () => Iterable<string>;
  readonly logger: QueueLogger;
  /** Called when the set-up is wrong in a way that only an operator can fix. */
  readonly onFatal: (error: QueueError) => void;
}

/** What the topology needs to know about a function. */
export interface LaneTarget extends Pick<FunctionConfig, 'name' | 'queue' | 'concurrency'> {
  /** Whether it is paused. Default: as `isPaused` says. */
  readonly paused?: boolean | undefined;
}

/** Errors that end a start, but not a process that has been running. */
const mayComeBack: ReadonlySet<QueueErrorCode> = new Set(['account_limit', 'consumer_limit', 'replicas', 'permission']);

/** Longest wait before the set-up is retried. */
const maxRetryMs = 5_000;
/** The default of NATS, for servers that do not say. */
const usualPayload = 1024 * 1024;

/**
 * Ensures streams and consumers on every connection, since a broker can come back without its data, and remembers them,
 * so that the accept path asks only for new ones.
 */
export class QueueTopology {
  readonly #options: TopologyOptions;
  readonly #clock: Broker['clock'];
  readonly #domain: string | undefined;
  /** Only for `jetstream/`. */
  readonly layout: StreamLayout;
  readonly #ensured = new Map<string, Promise<void>>();
  readonly #onReady = new Set<(manager: JetStreamManager) => void>();
  /** Existing consumers, each with its settings. */
  readonly #lanes = new Map<string, LaneTarget>();
  readonly #createdAt = new Map<string, number>();
  /** Consumers of the previous connection, until those of this one are known. */
  readonly #lanesBefore = new Map<string, LaneTarget>();
  /** Of these, the ones that calls were accepted for in the meantime. */
  readonly #reliedOn = new Map<string, LaneTarget>();
  #manager: JetStreamManager | undefined;
  #epoch = 0;
  #ready = false;
  #wasReady = false;
  #clockDiffers = false;

  constructor(broker: Broker, options: TopologyOptions) {
    this.#options = options;
    this.#clock = broker.clock;
    this.#domain = broker.domain;
    this.layout = new StreamLayout({ ...options, handsOver: options.ownsLanes });
    broker.onDisconnect(() => this.#reset());
    broker.onConnect((connection) => void this.#prepare(connection, this.#reset()));
  }

  /** True once the streams of `queues` exist on the current connection. */
  get ready(): boolean {
    return this.#ready;
  }

  /**
   * Also true after a lost connection has come back, while streams and consumers are checked again: one server of a
   * cluster answers JetStream's API, and electing a new one may take seconds. Streams have leaders of their own, and
   * only their PubAck says whether a call is stored (P1).
   */
  get usable(): boolean {
    return this.#ready || this.#lanesBefore.size > 0;
  }

  /** `listener` runs whenever the topology is in place after a connection. */
  onReady(listener: (manager: JetStreamManager) => void): void {
    this.#onReady.add(listener);
  }

  /** `listener` runs for each stream whenever it was ensured. */
  onStream(listener: (info: StreamInfo) => void): void {
    this.layout.onStream(listener);
  }

  /** Ensures the stream of the function's queue and its consumer. Throws `QueueError`; a failure is not remembered. */
  async ensureFunction(target: LaneTarget): Promise<void> {
    const { manager } = this;
    const { name, queue, concurrency } = target;
    await this.#once(queueKey(queue), () => this.#ensureQueue(manager, queue));
    const paused = this.#pausedOf(target);
    const lane = { queue, function: name, concurrency, paused, ackWaitMs: this.#options.ackWaitMs };
    const epoch = this.#epoch;
    const key = laneKey(queue, name);
    const known = this.#lanes.get(key);
    if (known !== undefined && (known.concurrency !== concurrency || known.paused !== paused)) {
      this.#ensured.delete(key);
    }
    await this.#once(key, () => this.#ensureLane(manager, lane)).catch((error: unknown) => {
      this.#ensured.delete(queueKey(queue)); // the stream may be gone
      throw error;
    });
    if (epoch === this.#epoch) {
      this.#lanes.set(key, { name, queue, concurrency, paused });
    }
  }

  /** Whether the function's consumer exists, as far as this process knows. */
  hasLane(queue: string, name: string): boolean {
    const key = laneKey(queue, name);
    const before = this.#lanesBefore.get(key);
    if (before !== undefined) {
      this.#reliedOn.set(key, before);
    }
    return before !== undefined || this.#lanes.has(key);
  }

  /**
   * When the function's consumer was created, by the broker's clock: Unix time in milliseconds. Undefined until a
   * process that owns lanes has ensured it on this connection. An earlier consumer, unknown to this one, may have
   * delivered what was stored before.
   */
  laneCreatedAt(queue: string, name: string): number | undefined {
    return this.#createdAt.get(laneKey(queue, name));
  }

  /** Call this when a consumer has vanished. */
  forgetLane(queue: string, name: string): void {
    this.#createdAt.delete(laneKey(queue, name));
    this.#lanes.delete(laneKey(queue, name));
    this.#lanesBefore.delete(laneKey(queue, name));
    this.#ensured.delete(laneKey(queue, name));
  }

  /** Call this when a stream may have vanished: the stream and its consumers are ensured again. */
  forgetQueue(queue: string): void {
    const lanes = laneKey(queue, '');
    const keys = [...this.#lanes.keys(), ...this.#lanesBefore.keys(), ...this.#ensured.keys()];
    for (const key of keys.filter((each) => each.startsWith(lanes))) {
      this.#createdAt.delete(key);
      this.#lanes.delete(key);
      this.#lanesBefore.delete(key);
      this.#ensured.delete(key);
    }
    this.#ensured.delete(queueKey(queue));
  }

  /** All queues that have a stream. Throws `QueueError`. */
  async listQueues(): Promise<string[]> {
    return listQueues(this.manager);
  }

  /** All functions that have a consumer in the queue. Throws `QueueError`. */
  async listLanes(queue: string): Promise<LaneState[]> {
    return [...(await this.listConsumers(queue)).lanes];
  }

  /** The function's consumer in the queue; undefined if it has none. Throws `QueueError`. */
  async findLane(queue: string, name: string): Promise<LaneState | undefined> {
    return await findLane(this.manager, queue, name);
  }

  /** The state of the queue's consumers. Throws `QueueError`. */
  async listConsumers(queue: string): Promise<QueueConsumers> {
    return listConsumers(this.manager, queue);
  }

  /** Whether the queue has scheduled calls of the function. Throws `QueueError`. */
  async hasScheduled(queue: string, name: string): Promise<boolean> {
    return (await lastMessage(this.manager, queueStream(queue), scheduledFilter(queue, name))) !== undefined;
  }

  /**
   * Whether the queue has calls of the function, ready or scheduled, with or without a consumer. Throws `QueueError`.
   */
  async hasCalls(queue: string, name: string): Promise<boolean> {
    return (await lastMessage(this.manager, queueStream(queue), waitingFilter(queue, name))) !== undefined;
  }

  /** Pauses or resumes delivery of a function's calls in every queue. Throws `QueueError`. */
  async pauseFunction(name: string, paused: boolean): Promise<void> {
    const queues = await this.listQueues();
    await Promise.all(queues.map((queue) => pauseLane(this.manager, queue, name, paused)));
  }

  /** Removes a consumer. Calls of its function stay in the stream. Throws `QueueError`. */
  async removeLane(queue: string, name: string): Promise<void> {
    await removeLane(this.manager, queue, name);
    this.forgetLane(queue, name);
  }

  /** Recreates streams that are gone although the connection has lasted. Throws `QueueError`. */
  async repair(streams: readonly string[]): Promise<void> {
    for (const queue of streams.flatMap((stream) => streamQueue(stream) ?? [])) {
      this.forgetQueue(queue);
    }
    await this.#ensureStreams(this.manager);
  }

  /** Asks the broker what time it is (`Broker.clock`). Throws `QueueError`. */
  async readClock(manager = this.manager): Promise<void> {
    const askedAt = performance.now();
    try {
      this.#clock.note(await manager.streams.info(callbackStream), askedAt);
    } catch (error) {
      throw asQueueError(error, 'the time of the broker cannot be asked for');
    }
    this.#noteDifference();
  }

  /** Only for `jetstream/`. Throws `QueueError` while the topology is not in place. */
  get manager(): JetStreamManager {
    if (this.#manager === undefined) {
      throw new QueueError('broker', 'the queue topology is not in place yet');
    }
    return this.#manager;
  }

  async #prepare(connection: NatsConnection, epoch: number): Promise<void> {
    const retries = new RetryLog(this.#options.logger, 'queue topology is not in place yet');
    for (let attempt = 0; epoch === this.#epoch && !connection.isClosed(); attempt++) {
      try {
        const manager = await openJetStream(connection, this.#domain);
        limitReads(manager, connection.info?.max_payload ?? usualPayload, this.#options.readWaitMs);
        await this.#ensureStreams(manager);
        await this.readClock(manager);
        this.#becomeReady(manager, epoch);
        return;
      } catch (error) {
        if (epoch !== this.#epoch) {
          return; // an error of an earlier connection
        }
        if (error instanceof QueueError && this.#isFatal(error)) {
          this.#options.onFatal(error);
          return;
        }
        const waitMs = Math.min(maxRetryMs, 100 * 2 ** attempt);
        retries.failed(error, { waitMs });
        await new Promise((resolve) => setTimeout(resolve, waitMs).unref());
      }
    }
  }

  /** A process that has worked before waits until limits and permissions are restored. */
  #isFatal({ temporary, code }: QueueError): boolean {
    return !temporary && !(this.#wasReady && mayComeBack.has(code));
  }

  #becomeReady(manager: JetStreamManager, epoch: number): void {
    if (epoch !== this.#epoch) {
      return;
    }
    this.#manager = manager;
    this.#ready = true;
    this.#wasReady = true;
    this.#lanesBefore.clear();
    this.#restoreLanes();
    for (const listener of this.#onReady) {
      listener(manager);
    }
  }

  /** A broker that has lost consumers, but not their streams, has stored calls that no worker would receive (P2). */
  #restoreLanes(): void {
    const { logger } = this.#options;
    for (const { name, queue, concurrency } of this.#reliedOn.values()) {
      this.ensureFunction({ name, queue, concurrency }).catch((err: unknown) => {
        logger.warn({ err, queue, function: name }, 'consumer could not be ensured yet');
      });
    }
    this.#reliedOn.clear();
  }

  /** Forgets everything about the last connection. Returns the number of the next one. */
  #reset(): number {
    this.#ready = false;
    this.#manager = undefined;
    this.#ensured.clear();
    for (const [key, lane] of this.#lanes) {
      this.#lanesBefore.set(key, lane);
    }
    this.#lanes.clear();
    this.#createdAt.clear();
    this.#epoch += 1;
    return this.#epoch;
  }

  async #ensureStreams(manager: JetStreamManager): Promise<void> {
    await Promise.all([...this.#options.queues()].map((queue) => this.#ensureQueue(manager, queue)));
    await this.layout.ensureRecords(manager);
  }

  /** Logged when it begins and when it is over: an operator has to set a clock. */
  #noteDifference(): void {
    const aheadMs = Math.round(this.#clock.aheadMs);
    if ((aheadMs !== 0) !== this.#clockDiffers) {
      this.#clockDiffers = aheadMs !== 0;
      this.#options.logger.warn(
        { aheadMs },
        this.#clockDiffers
          ? 'the clock of this process is not that of NATS, whose time counts'
          : 'the clock of this process agrees with that of NATS again',
      );
    }
  }

  #pausedOf({ name, paused }: LaneTarget): boolean | undefined {
    const { isPaused } = this.#options;
    if (paused !== undefined || isPaused === undefined) {
      return paused;
    }
    const known = isPaused(name);
    if (known === undefined) {
      throw new QueueError('broker', `it is not known yet whether function ${name} is paused`);
    }
    return known;
  }

  async #ensureLane(manager: JetStreamManager, lane: LaneConfig): Promise<void> {
    const { ownsLanes, mayResume = () => Promise.resolve('yes' as const) } = this.#options;
    if (!ownsLanes) {
      await ensureLaneExists(manager, lane);
      return;
    }
    const epoch = this.#epoch;
    const createdAt = await ensureLane(manager, lane, mayResume);
    if (epoch === this.#epoch) {
      this.#createdAt.set(laneKey(lane.queue, lane.function), createdAt);
    }
  }

  async #ensureQueue(manager: JetStreamManager, queue: string): Promise<void> {
    await this.layout.ensureQueue(manager, queue);
    await ensureScheduledCount(manager, queue);
  }

  #once(key: string, ensure: () => Promise<void>): Promise<void> {
    const known = this.#ensured.get(key);
    if (known !== undefined) {
      return known;
    }
    const done = ensure();
    this.#ensured.set(key, done);
    done.catch(() => {
      if (this.#ensured.get(key) === done) {
        this.#ensured.delete(key);
      }
    });
    return done;
  }
}

function queueKey(queue: string): string {
  return `queue ${queue}`;
}

function laneKey(queue: string, name: string): string {
  return `lane ${queue}/${name}`;
}
