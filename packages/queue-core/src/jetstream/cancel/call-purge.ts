import { addressOf, queueStream, waitingFilter } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import { type NamesOf, onlyName } from '../../functions/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { type LaneProgress, laneProgress, type QueueTopology, wasDelivered } from '../layout/index.ts';
import { type QueuedCall, scanCalls, toQueuedCall } from '../lookup/index.ts';
import type { CallCanceller, CancelResult } from './call-canceller.ts';

/** What to purge: a function, a queue, or a function in a queue. */
export interface PurgeTarget {
  /** Default: all queues. */
  readonly queue?: string | undefined;
  /** `NAME` or `NAME.NAMESPACE`. Default: all functions. */
  readonly function?: string | undefined;
}

export interface PurgeOptions {
  /** Ends the purge between two batches. Calls that are not purged by then stay queued. */
  readonly signal?: AbortSignal;
  /** Called with how many calls have been cancelled so far. */
  readonly onProgress?: (purged: number) => void;
}

/**
 * Cancels all waiting calls: ready, delayed, or waiting for a retry. Each ends as `cancelled`, as if cancelled alone.
 * Calls that a worker runs, and calls that come after the beginning, are left alone. After a crash, calls that are not
 * purged yet stay queued.
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

  /**
   * Returns how many calls have been cancelled. Throws `QueueError`: calls that are cancelled by then stay cancelled.
   */
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

  /** Yields how many calls each batch has cancelled. */
  async *#purgeQueue(queue: string, name: string | undefined): AsyncGenerator<number, void, void> {
    const end = await this.#lastSequence(queue);
    for (let next = 1; next <= end; ) {
      const filter = waitingFilter(queue, name);
      const messages = await scanCalls(this.#topology.manager, { queue, filter, from: next });
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

  /** A delivered call is running, or waits again: after a nak, or until the lease of a dead worker runs out. */
  #cancel(call: QueuedCall, progress: LaneProgress | undefined): Promise<CancelResult | undefined> {
    const { subject } = call;
    const isNew = subject.readiness !== 'ready' || (progress !== undefined && wasDelivered(progress, call) === 'no');
    return isNew ? this.#cancelNew(call) : this.#canceller.cancelUnlessRunning(addressOf(subject));
  }

  /** A call that has just got the turn of its flow key is ready, and no longer where it was. */
  async #cancelNew(call: QueuedCall): Promise<CancelResult | undefined> {
    const result = await this.#canceller.cancelWaiting(call);
    const { subject } = call;
    return result === undefined && subject.readiness === 'wait'
      ? await this.#canceller.cancelUnlessRunning(addressOf(subject))
      : result;
  }

  /** The progress of the consumer of each function among the calls. */
  async #progressOf(calls: readonly QueuedCall[]): Promise<ReadonlyMap<string, LaneProgress>> {
    const progress = new Map<string, LaneProgress>();
    for (const { subject } of calls) {
      if (!progress.has(subject.function)) {
        progress.set(subject.function, await laneProgress(this.#topology.manager, subject));
      }
    }
    return progress;
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
