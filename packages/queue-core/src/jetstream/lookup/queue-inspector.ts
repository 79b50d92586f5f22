import type { StreamInfo } from '@nats-io/jetstream';
import { functionFilter, queueStream, streamQueue, waitingFilter } from '../../call/index.ts';
import { type NamesOf, onlyName } from '../../functions/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import { findLane, type LaneState, type QueueTopology } from '../layout/index.ts';
import { nextMessage } from '../messages/index.ts';

/** The load of a function, over all queues in which it has calls. */
export interface FunctionLoad {
  /** Calls that are ready and that no worker has. Scheduled retries are not included. */
  readonly pending: number;
  /** Calls that a worker has, or has nak'ed and no worker has taken again. */
  readonly inFlight: number;
  /** Since when the oldest pending call is ready: Unix time in milliseconds; undefined if none is pending. */
  readonly oldestAtMs: number | undefined;
}

/** The state of a queue. */
export interface QueueState {
  readonly queue: string;
  /** Calls that are ready and that no worker has. */
  readonly depth: number;
  /** Scheduled calls. */
  readonly scheduled: number;
  /** Calls that a worker has. */
  readonly inFlight: number;
  /** As in `FunctionLoad`. */
  readonly oldestAtMs: number | undefined;
  /** Room that the calls take. */
  readonly bytes: number;
  readonly replicas: number;
  readonly lanes: readonly LaneState[];
}

/** How many messages a queue has ever stored, and how many it holds. */
export interface QueueCount {
  readonly queue: string;
  readonly stored: number;
  readonly held: number;
}

/** Inspects the queues. Methods throw `QueueError`. */
export class QueueInspector {
  readonly #topology: Pick<QueueTopology, 'manager' | 'listQueues' | 'listConsumers'>;

  readonly #namesOf: NamesOf;

  constructor(topology: Pick<QueueTopology, 'manager' | 'listQueues' | 'listConsumers'>, namesOf: NamesOf = onlyName) {
    this.#topology = topology;
    this.#namesOf = namesOf;
  }

  /** All calls of a function that have not ended: ready, in flight and scheduled, in any queue. */
  async countCalls(name: string): Promise<number> {
    const places = await this.#placesOf(name);
    return sum(await Promise.all(places.map((place) => this.#countIn(place.queue, place.name))));
  }

  /** The load of a function: zeros if it has no calls. */
  async load(name: string): Promise<FunctionLoad> {
    const places = await this.#placesOf(name);
    const loads = await Promise.all(places.map((place) => this.#loadIn(place.queue, place.name)));
    return {
      pending: sum(loads.map(({ pending }) => pending)),
      inFlight: sum(loads.map(({ inFlight }) => inFlight)),
      oldestAtMs: earliest(loads.map(({ oldestAtMs }) => oldestAtMs)),
    };
  }

  /** The state of all queues, by name. */
  async list(): Promise<QueueState[]> {
    const queues = (await this.#topology.listQueues()).sort();
    const states = await Promise.all(queues.map((queue) => this.find(queue)));
    return states.filter((state) => state !== undefined);
  }

  /** The state of a queue; undefined if it does not exist. */
  async find(queue: string): Promise<QueueState | undefined> {
    const info = await this.#info(queue);
    if (info === undefined) {
      return undefined;
    }
    const { lanes, scheduled = 0 } = await this.#topology.listConsumers(queue);
    const [depth, inFlight] = [sum(lanes.map(({ pending }) => pending)), sum(lanes.map((lane) => lane.inFlight))];
    const waiting = lanes.filter(({ pending }) => pending > 0);
    const oldest = await Promise.all(waiting.map((lane) => this.#oldestReady(queue, lane)));
    return {
      queue,
      depth,
      scheduled,
      inFlight,
      oldestAtMs: earliest(oldest),
      bytes: info.state.bytes,
      replicas: info.config.num_replicas,
      lanes,
    };
  }

  /** Counts of all queues in one request for each few hundred of them. */
  async count(): Promise<QueueCount[]> {
    const counts: QueueCount[] = [];
    try {
      for await (const { config, state } of this.#topology.manager.streams.list('calls.>')) {
        const queue = streamQueue(config.name);
        if (queue !== undefined) {
          counts.push({ queue, stored: state.last_seq, held: state.messages });
        }
      }
    } catch (error) {
      throw asQueueError(error, 'the queues cannot be counted');
    }
    return counts;
  }

  async #placesOf(name: string): Promise<{ queue: string; name: string }[]> {
    const queues = await this.#topology.listQueues();
    return queues.flatMap((queue) => this.#namesOf(name).map((each) => ({ queue, name: each })));
  }

  async #loadIn(queue: string, name: string): Promise<FunctionLoad> {
    const lane = await findLane(this.#topology.manager, queue, name);
    const oldestAtMs = lane === undefined || lane.pending === 0 ? undefined : await this.#oldestReady(queue, lane);
    return { pending: lane?.pending ?? 0, inFlight: lane?.inFlight ?? 0, oldestAtMs };
  }

  /** Calls that no worker has had come after the last delivered one. */
  async #oldestReady(queue: string, lane: LaneState): Promise<number | undefined> {
    const filter = functionFilter(queue, lane.function);
    const message = await nextMessage(this.#topology.manager, queueStream(queue), filter, lane.deliveredSequence + 1);
    return message?.time.getTime();
  }

  async #info(queue: string): Promise<StreamInfo | undefined> {
    try {
      return await this.#topology.manager.streams.info(queueStream(queue));
    } catch (error) {
      if (isApiError(error, 'streamNotFound')) {
        return undefined;
      }
      throw asQueueError(error, `queue ${queue} cannot be read`);
    }
  }

  async #countIn(queue: string, name: string): Promise<number> {
    const subjects_filter = waitingFilter(queue, name);
    try {
      const { state } = await this.#topology.manager.streams.info(queueStream(queue), { subjects_filter });
      return sum(Object.values(state.subjects ?? {}));
    } catch (error) {
      throw asQueueError(error, `the calls of ${name} in queue ${queue} cannot be counted`);
    }
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}

function earliest(times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}
