import type { StoredMsg } from '@nats-io/jetstream';
import { addressOf, queueStream, waitingFilter } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import { type NamesOf, onlyName } from '../../functions/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { type LaneProgress, laneProgress, type QueueTopology, wasDelivered } from '../layout/index.ts';
import { type QueuedCall, toQueuedCall } from '../lookup/index.ts';
import type { CallCanceller, CancelResult } from './call-canceller.ts';

/** What is to be purged: a function, a queue, or a function in a queue. */
export interface PurgeTarget {
  /** Default: all queues. */
  readonly queue?: string | undefined;
  /** `NAME` or `NAME.NAMESPACE`. Default: all functions. */
  readonly function?: string | undefined;
}

export interface PurgeOptions {
  /** Ends the purge between two batches. What is not purged by then waits on. */
  readonly signal?: AbortSignal;
  /** Told how many calls have been cancelled so far. */
  readonly onProgress?: (purged: number) => void;
}

/** Calls that are cancelled at once. */
const batch = 256;
/** Bytes of their bodies: the broker sends messages whole. */
const batchBytes = 16 * 1024 * 1024;

/**
 * Cancels all calls that wait, for their turn, their time or a retry: each ends as `cancelled`, as by itself. Calls that
 * a worker runs, and those that come after the beginning, are left alone. A crash in between leaves what is not purged
 * yet waiting.
 */
export class CallPurge {
  readonly #topology: Pick<QueueTopology, 'manager' | 'listQueues'>;
  readonly #canceller: Pick<CallCanceller, 'cancelWaiting' | 'cancelUnlessRunning'>;

  readonly #namesOf: NamesOf;

  constructor(
    topology: Pick<QueueTopology, 'manager' | 'listQueues'>,
    canceller: Pick<CallCanceller, 'cancelWaiting' | 'cancelUnlessRunning'>,
    namesOf: NamesOf = onlyName,
  ) {
    this.#topology = topology;
    this.#canceller = canceller;
    this.#namesOf = namesOf;
  }

  /** Returns how many calls have been cancelled. Throws `QueueError`: what is cancelled by then stays so. */
  async purge({ queue, function: name }: PurgeTarget, options: PurgeOptions = {}): Promise<number> {
    const queues = (await this.#topology.listQueues()).filter((known) => queue === undefined || known === queue);
    const names = name === undefined ? [undefined] : this.#namesOf(name);
    let purged = 0;
    for (const place of queues.flatMap((each) => names.map((called) => ({ queue: each, name: called })))) {
      for await (const cancelled of this.#purgeQueue(place.queue, place.name)) {
        purged += cancelled;
        options.onProgress?.(purged);
        if (options.signal?.aborted) {
          return purged;
        }
      }
    }
    return purged;
  }

  /** Gives how many calls each batch has cancelled. */
  async *#purgeQueue(queue: string, name: string | undefined): AsyncGenerator<number, void, void> {
    const end = await this.#lastSequence(queue);
    for (let next = 1; next <= end; ) {
      const messages = await this.#read(queue, waitingFilter(queue, name), next);
      const last = messages.at(-1);
      if (last === undefined) {
        return;
      }
      next = last.seq + 1;
      yield this.#cancelAll(messages.filter(({ seq }) => seq <= end).flatMap((message) => toQueuedCall(message) ?? []));
    }
  }

  async #cancelAll(calls: readonly QueuedCall[]): Promise<number> {
    const progress = await this.#progressOf(calls);
    const results = await Promise.all(calls.map((call) => this.#cancel(call, progress.get(call.subject.function))));
    for (const result of results) {
      throwIfRefused(result);
    }
    return results.filter((result) => result?.kind === 'cancelled').length;
  }

  /** What was delivered is run by a worker, or waits again: given back, or until the lease of a dead one runs out. */
  #cancel(call: QueuedCall, progress: LaneProgress | undefined): Promise<CancelResult | undefined> {
    const { subject } = call;
    const isNew = subject.readiness === 'later' || (progress !== undefined && wasDelivered(progress, call) === 'no');
    return isNew ? this.#canceller.cancelWaiting(call) : this.#canceller.cancelUnlessRunning(addressOf(subject));
  }

  /** How far the consumer of each function of the calls has come. */
  async #progressOf(calls: readonly QueuedCall[]): Promise<ReadonlyMap<string, LaneProgress>> {
    const progress = new Map<string, LaneProgress>();
    for (const { subject } of calls) {
      if (!progress.has(subject.function)) {
        progress.set(subject.function, await laneProgress(this.#topology.manager, subject));
      }
    }
    return progress;
  }

  async #read(queue: string, filter: string, from: number): Promise<StoredMsg[]> {
    const messages: StoredMsg[] = [];
    try {
      const query = { seq: from, batch, max_bytes: batchBytes, next_by_subj: filter };
      for await (const message of await this.#topology.manager.direct.getBatch(queueStream(queue), query)) {
        messages.push(message);
      }
    } catch (error) {
      if (!isNotFound(error)) {
        throw asQueueError(error, `the calls of queue ${queue} cannot be read`);
      }
    }
    return messages;
  }

  async #lastSequence(queue: string): Promise<number> {
    try {
      return (await this.#topology.manager.streams.info(queueStream(queue))).state.last_seq;
    } catch (error) {
      throw asQueueError(error, `queue ${queue} cannot be read`);
    }
  }
}

function throwIfRefused(result: CancelResult | undefined): void {
  if (result?.kind === 'refused') {
    throw new QueueError('broker', `a call could not be cancelled: ${result.detail}`);
  }
}

/** What the broker says instead of an empty batch. */
function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 404;
}
