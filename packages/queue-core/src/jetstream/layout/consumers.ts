import { AckPolicy, type ConsumerConfig, type ConsumerInfo, type JetStreamManager } from '@nats-io/jetstream';
import { consumerFunction, functionConsumer, functionFilter, queueStream, scheduledFilter } from '../../call/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';

const nanosPerMs = 1_000_000;

/** Lease of a call, in milliseconds, in a consumer that no worker has seen yet: a worker sets its own `ACK_WAIT`. */
export const initialAckWaitMs = 30_000;

/** Names a function's consumer. */
interface LaneId {
  readonly queue: string;
  readonly function: string;
}

/** One function in one queue: a durable consumer, shared by all workers. */
export interface LaneConfig extends LaneId {
  /** How long a call stays with a worker that does not renew its lease. */
  readonly ackWaitMs: number;
  /** Most calls in flight over all workers; undefined is no cap. */
  readonly concurrency: number | undefined;
  /** Whether it delivers nothing until it is resumed; undefined leaves this unchanged. */
  readonly paused: boolean | undefined;
}

/** The current state of a consumer. */
export interface LaneState {
  readonly function: string;
  /** Calls that are ready and wait. */
  readonly pending: number;
  /** Calls that workers have in flight. */
  readonly inFlight: number;
  readonly paused: boolean;
  /** Stream sequence of the last delivered call. */
  readonly deliveredSequence: number;
}

/** A pause has no end of its own, but JetStream wants a time (NATS ADR-26) and counts nanoseconds in 63 bits. */
const pausedUntil = new Date('2200-01-01T00:00:00Z');

function laneConsumerConfig(lane: LaneConfig): Partial<ConsumerConfig> {
  const { queue, function: name, ackWaitMs, concurrency, paused } = lane;
  return {
    durable_name: functionConsumer(name),
    filter_subject: functionFilter(queue, name),
    ack_policy: AckPolicy.Explicit,
    ack_wait: ackWaitMs * nanosPerMs,
    // The worker counts: a limit here would make a call vanish from delivery without a trace (P2).
    max_deliver: -1,
    max_ack_pending: concurrency ?? -1,
    // Each worker may have a pull open for every slot that it has.
    max_waiting: 16_384,
    // Applies when the consumer is created. An update never changes a pause.
    ...(paused === true && { pause_until: pausedUntil.toISOString() }),
  };
}

/**
 * Whether a worker may resume a consumer: `not_yet` if the gateway that has resumed the function may be about to do so.
 */
export type Resumption = 'yes' | 'not_yet' | 'paused';

/**
 * Creates the consumer or updates it to these settings; only workers know all of them. Returns when the consumer was
 * created, by the broker's clock: Unix time in milliseconds.
 * @param mayResume called before a paused consumer is resumed, and after: the function may be paused meanwhile
 */
export async function ensureLane(
  manager: JetStreamManager,
  lane: LaneConfig,
  mayResume: (name: string) => Promise<Resumption>,
): Promise<number> {
  try {
    const info = (await createLane(manager, lane)) ?? (await updateLane(manager, lane));
    const isOther = lane.paused !== undefined && lane.paused !== isPaused(info);
    if (isOther && (lane.paused || (await mayResume(lane.function)) === 'yes')) {
      await setPaused(manager, lane.queue, lane.function, lane.paused);
      if (!lane.paused && (await mayResume(lane.function)) === 'paused') {
        await setPaused(manager, lane.queue, lane.function, true);
      }
    }
    return Date.parse(info.created);
  } catch (error) {
    throw asQueueError(error, `the consumer of ${lane.function} in queue ${lane.queue} cannot be set up`);
  }
}

/** Creates the consumer if it does not exist. Gateways do this, so that workers find a function's first call. */
export async function ensureLaneExists(manager: JetStreamManager, lane: LaneConfig): Promise<void> {
  try {
    await createLane(manager, lane);
  } catch (error) {
    throw asQueueError(error, `the consumer of ${lane.function} in queue ${lane.queue} cannot be created`);
  }
}

/** Undefined if a consumer with other settings exists. */
async function createLane(manager: JetStreamManager, lane: LaneConfig): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.add(queueStream(lane.queue), laneConsumerConfig(lane));
  } catch (error) {
    if (isApiError(error, 'consumerAlreadyExists')) {
      return undefined;
    }
    throw error;
  }
}

function updateLane(manager: JetStreamManager, lane: LaneConfig): Promise<ConsumerInfo> {
  return manager.consumers.update(queueStream(lane.queue), functionConsumer(lane.function), laneConsumerConfig(lane));
}

/**
 * Pauses or resumes delivery of a function's calls, if it has a consumer. Calls in flight run on. Throws `QueueError`.
 */
export async function pauseLane(
  manager: JetStreamManager,
  queue: string,
  name: string,
  paused: boolean,
): Promise<void> {
  try {
    await setPaused(manager, queue, name, paused);
  } catch (error) {
    if (!isApiError(error, 'consumerNotFound')) {
      throw asQueueError(error, `the consumer of ${name} in queue ${queue} cannot be paused or resumed`);
    }
  }
}

async function setPaused(manager: JetStreamManager, queue: string, name: string, paused: boolean): Promise<void> {
  const [stream, consumer] = [queueStream(queue), functionConsumer(name)];
  await (paused ? manager.consumers.pause(stream, consumer, pausedUntil) : manager.consumers.resume(stream, consumer));
}

function isPaused({ paused }: ConsumerInfo): boolean {
  return paused === true;
}

/** The consumers of a queue. */
export interface QueueConsumers {
  /** One for each function that has a consumer. */
  readonly lanes: readonly LaneState[];
  /** Scheduled calls; undefined if they are not counted yet. */
  readonly scheduled: number | undefined;
}

/** No function's: `=` is in no name. */
const scheduledConsumer = '=scheduled';

/**
 * Has the broker count the scheduled calls of a queue. The stream holds more than calls, and listing them would cost a
 * line for each. A consumer without pulls knows their number at all times.
 */
export async function ensureScheduledCount(manager: JetStreamManager, queue: string): Promise<void> {
  const config = {
    durable_name: scheduledConsumer,
    description: 'Counts the scheduled calls. No process pulls from it.',
    filter_subject: scheduledFilter(queue),
    ack_policy: AckPolicy.Explicit,
  };
  try {
    await manager.consumers.add(queueStream(queue), config);
  } catch (error) {
    if (!isApiError(error, 'consumerAlreadyExists')) {
      throw asQueueError(error, `the scheduled calls of queue ${queue} cannot be counted`);
    }
  }
}

/** The state of the consumers of a queue, in one request for each 256 of them. */
export async function listConsumers(manager: JetStreamManager, queue: string): Promise<QueueConsumers> {
  const lanes: LaneState[] = [];
  let scheduled: number | undefined;
  try {
    for await (const info of manager.consumers.list(queueStream(queue))) {
      const lane = toLaneState(info);
      if (lane !== undefined) {
        lanes.push(lane);
      } else if (info.name === scheduledConsumer) {
        scheduled = info.num_pending;
      }
    }
  } catch (error) {
    throw asQueueError(error, `the consumers of queue ${queue} cannot be listed`);
  }
  return { lanes, scheduled };
}

/** The progress of a function's consumer. */
export interface LaneProgress {
  /** Stream sequence of the last message that it has delivered. */
  readonly deliveredSequence: number;
  /**
   * When it last delivered a message: Unix time in milliseconds. Undefined until its current leader has delivered one.
   */
  readonly deliveredAtMs: number | undefined;
  /**
   * When it was created: Unix time in milliseconds, infinite if it does not exist. An earlier consumer, unknown to this
   * one, may have delivered what was stored before.
   */
  readonly countsSinceMs: number;
  /** How long a call stays with a worker that does not renew its lease, in milliseconds. */
  readonly leaseMs: number;
}

/** The progress of a function without a consumer. */
const noProgress: LaneProgress = {
  deliveredSequence: 0,
  deliveredAtMs: undefined,
  countsSinceMs: Number.POSITIVE_INFINITY,
  leaseMs: initialAckWaitMs,
};

/** Asks the leader of the function's consumer. Throws `QueueError`. */
export async function laneProgress(
  manager: JetStreamManager,
  { queue, function: name }: LaneId,
): Promise<LaneProgress> {
  try {
    return toProgress(await manager.consumers.info(queueStream(queue), functionConsumer(name)));
  } catch (error) {
    if (isApiError(error, 'consumerNotFound')) {
      return noProgress;
    }
    throw asQueueError(error, `the consumer of ${name} in queue ${queue} cannot be read`);
  }
}

function toProgress({ delivered, created, config }: ConsumerInfo): LaneProgress {
  // The client's type says nanoseconds, the server sends RFC 3339, or nothing.
  const deliveredAtMs = Date.parse(String(delivered.last_active));
  return {
    deliveredSequence: delivered.stream_seq,
    deliveredAtMs: Number.isNaN(deliveredAtMs) ? undefined : deliveredAtMs,
    countsSinceMs: Date.parse(created),
    leaseMs: (config.ack_wait ?? initialAckWaitMs * nanosPerMs) / nanosPerMs,
  };
}

/**
 * Whether a message has ever been delivered; `unknown` for one that is older than its consumer.
 * @param message its stream sequence, and when it was stored: Unix time in milliseconds
 */
export function wasDelivered(
  { deliveredSequence, countsSinceMs }: LaneProgress,
  { sequence, storedAtMs }: { readonly sequence: number; readonly storedAtMs: number },
): 'yes' | 'no' | 'unknown' {
  if (sequence <= deliveredSequence) {
    return 'yes';
  }
  return storedAtMs < countsSinceMs ? 'unknown' : 'no';
}

/** One function's consumer in the queue; undefined if it has none. Throws `QueueError`. */
export async function findLane(manager: JetStreamManager, queue: string, name: string): Promise<LaneState | undefined> {
  try {
    return toLaneState(await manager.consumers.info(queueStream(queue), functionConsumer(name)));
  } catch (error) {
    if (isApiError(error, 'consumerNotFound', 'streamNotFound')) {
      return undefined;
    }
    throw asQueueError(error, `the consumer of ${name} in queue ${queue} cannot be read`);
  }
}

/** Removes a consumer. Calls of its function stay in the stream. */
export async function removeLane(manager: JetStreamManager, queue: string, name: string): Promise<void> {
  try {
    await manager.consumers.delete(queueStream(queue), functionConsumer(name));
  } catch (error) {
    if (!isApiError(error, 'consumerNotFound')) {
      throw asQueueError(error, `the consumer of ${name} in queue ${queue} cannot be removed`);
    }
  }
}

function toLaneState(info: ConsumerInfo): LaneState | undefined {
  const name = consumerFunction(info.name);
  if (name === undefined) {
    return undefined;
  }
  return {
    function: name,
    pending: info.num_pending,
    inFlight: info.num_ack_pending,
    paused: isPaused(info),
    deliveredSequence: info.delivered.stream_seq,
  };
}
