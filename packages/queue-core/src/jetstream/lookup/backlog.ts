import type { StreamInfo } from '@nats-io/jetstream';
import { callPattern, flowStateSubject, functionFilter, queueStream, streamQueue } from '../../call/index.ts';
import { forEachLimited } from '../../for-each-limited.ts';
import { missingReceiptFilter } from '../../records/index.ts';
import { batchStatesConsumer } from '../batches/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import {
  callbackStream,
  deadLetterStream,
  type LaneState,
  outcomeStream,
  type QueueTopology,
  receiptStream,
} from '../layout/index.ts';
import { countMessages, nextMessage } from '../messages/index.ts';

/** The backlog of one function. */
export interface LaneBacklog {
  readonly queue: string;
  readonly function: string;
  /** Calls that are ready and that no worker has. */
  readonly pending: number;
  /** Since when the oldest of them is ready: Unix time in milliseconds; undefined if none is pending. */
  readonly oldestAtMs: number | undefined;
}

/** Everything that waits, as the broker counts it: the same in every process. */
export interface Backlog {
  readonly lanes: readonly LaneBacklog[];
  /** Scheduled calls of each queue. */
  readonly scheduled: readonly { readonly queue: string; readonly count: number }[];
  /** Consumers of each queue, and how many it may have; undefined if NATS sets no limit. */
  readonly consumers: readonly { readonly queue: string; readonly count: number; readonly limit: number | undefined }[];
  /** Flow keys of each queue that have calls, or are paused or pinned, and the calls that wait for their turn; as of a while ago. */
  readonly flows: readonly FlowBacklog[];
  /** Callbacks that failed at least once and will be retried. */
  readonly callbacks: number;
  /** Dead letters that have not been replayed or dropped. */
  readonly deadLetters: number;
  /** Batches that were accepted and have not ended. */
  readonly batches: number;
  /** Accepted calls that are neither queued nor ended. */
  readonly missing: number;
}

/** The flow keys of one queue. */
export interface FlowBacklog {
  readonly queue: string;
  readonly keys: number;
  readonly waiting: number;
}

/** The oldest call of a lane that was ready and waiting at the last look. */
interface Oldest {
  readonly sequence: number;
  readonly atMs: number;
  readonly lookedAtMs: number;
}

/** Most requests for single calls under way at once. */
const maxLooks = 32;
/** The oldest call of a lane is read again after this, in case it was removed. */
const staleMs = 30_000;
/** How long a count of flow keys is used: the broker goes through all subjects of calls that wait for their turn. */
const flowsMs = 5_000;

/**
 * Counts the backlog of all queues with few requests: one for the streams, one for the consumers of each queue (a
 * second for more than 256 of them), and one for each function whose oldest waiting call has changed.
 */
export class BacklogReader {
  readonly #topology: Pick<QueueTopology, 'manager' | 'listConsumers'>;
  readonly #now: () => number;
  #oldest = new Map<string, Oldest>();
  #flows: { readonly atMs: number; readonly found: readonly FlowBacklog[] } | undefined;

  /** @param now monotonic clock in milliseconds */
  constructor(topology: Pick<QueueTopology, 'manager' | 'listConsumers'>, now = performance.now.bind(performance)) {
    this.#topology = topology;
    this.#now = now;
  }

  /** @param serves whether a queue counts. Throws `QueueError`. */
  async read(serves: (queue: string) => boolean): Promise<Backlog> {
    const streams = await this.#listStreams();
    const messages = new Map(streams.map(({ config, state }) => [config.name, state.messages]));
    const ofQueues = streams.flatMap((stream) => {
      const queue = streamQueue(stream.config.name);
      return queue === undefined || !serves(queue) ? [] : [{ queue, ...stream }];
    });
    const queues = ofQueues.map(({ queue }) => queue);
    const found = await Promise.all(
      queues.map(async (queue) => ({ queue, ...(await this.#topology.listConsumers(queue)) })),
    );
    return {
      lanes: await this.#withAges(found.flatMap(({ queue, lanes }) => lanes.map((lane) => ({ ...lane, queue })))),
      scheduled: found.map(({ queue, scheduled = 0 }) => ({ queue, count: scheduled })),
      consumers: ofQueues.map(({ queue, config, state }) => ({
        queue,
        count: state.consumer_count,
        limit: config.max_consumers > 0 ? config.max_consumers : undefined,
      })),
      flows: await this.#countFlows(queues),
      callbacks: messages.get(callbackStream) ?? 0,
      deadLetters: messages.get(deadLetterStream) ?? 0,
      batches: await this.#countBatches(),
      missing: (messages.get(receiptStream) ?? 0) === 0 ? 0 : await this.#countMissing(),
    };
  }

  async #listStreams(): Promise<StreamInfo[]> {
    const streams: StreamInfo[] = [];
    try {
      for await (const stream of this.#topology.manager.streams.list()) {
        streams.push(stream);
      }
    } catch (error) {
      throw asQueueError(error, 'the streams cannot be counted');
    }
    return streams;
  }

  /** Before a batch is sealed its state is acked at once, and after that when the batch has ended. */
  async #countBatches(): Promise<number> {
    try {
      const { consumers } = this.#topology.manager;
      const { num_pending, num_ack_pending } = await consumers.info(outcomeStream, batchStatesConsumer);
      return num_pending + num_ack_pending;
    } catch (error) {
      if (isApiError(error, 'consumerNotFound', 'streamNotFound')) {
        return 0;
      }
      throw asQueueError(error, 'open batches cannot be counted');
    }
  }

  async #countFlows(queues: readonly string[]): Promise<readonly FlowBacklog[]> {
    const known = this.#flows;
    if (known !== undefined && this.#now() - known.atMs < flowsMs) {
      return known.found;
    }
    const atMs = this.#now();
    const found: FlowBacklog[] = [];
    await forEachLimited(queues, maxLooks, async (queue) => {
      const keys = await this.#count(queue, flowStateSubject(queue, '*'));
      const waits = callPattern({ queue, readiness: 'wait', function: '*', call: '*' });
      found.push({ queue, keys, waiting: keys === 0 ? 0 : await this.#count(queue, waits) });
    });
    this.#flows = { atMs, found };
    return found;
  }

  #count(queue: string, filter: string): Promise<number> {
    return countMessages(this.#topology.manager, queueStream(queue), filter);
  }

  async #countMissing(): Promise<number> {
    try {
      const filter = { subjects_filter: missingReceiptFilter };
      const { state } = await this.#topology.manager.streams.info(receiptStream, filter);
      return Object.keys(state.subjects ?? {}).length;
    } catch (error) {
      throw asQueueError(error, 'missing calls cannot be counted');
    }
  }

  async #withAges(lanes: readonly (LaneState & { readonly queue: string })[]): Promise<LaneBacklog[]> {
    const known = this.#oldest;
    const next = new Map<string, Oldest>();
    const result: LaneBacklog[] = [];
    await forEachLimited(lanes, maxLooks, async (lane) => {
      const key = `${lane.queue}/${lane.function}`;
      const oldest =
        lane.pending === 0 ? undefined : (this.#stillValid(known.get(key), lane) ?? (await this.#ask(lane)));
      if (oldest !== undefined) {
        next.set(key, oldest);
      }
      result.push({
        queue: lane.queue,
        function: lane.function,
        pending: lane.pending,
        oldestAtMs: oldest?.atMs,
      });
    });
    this.#oldest = next;
    return result;
  }

  /** Later calls have higher sequences, so the oldest call stays the oldest until it is delivered. */
  #stillValid(oldest: Oldest | undefined, { deliveredSequence }: LaneState): Oldest | undefined {
    const isValid =
      oldest !== undefined && oldest.sequence > deliveredSequence && this.#now() - oldest.lookedAtMs < staleMs;
    return isValid ? oldest : undefined;
  }

  async #ask(lane: LaneState & { readonly queue: string }): Promise<Oldest | undefined> {
    const { queue, function: name, deliveredSequence } = lane;
    const filter = functionFilter(queue, name);
    const message = await nextMessage(this.#topology.manager, queueStream(queue), filter, deliveredSequence + 1);
    return message && { sequence: message.seq, atMs: message.time.getTime(), lookedAtMs: this.#now() };
  }
}
