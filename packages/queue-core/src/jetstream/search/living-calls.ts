import { addressOf, identityOf, phaseUntilDue, queueStream, waitingFilter } from '../../call/index.ts';
import { type CallFilter, type CallStatus, factsOfCall, isInFilter } from '../../search/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import { type LaneProgress, laneProgress, type QueueTopology, wasDelivered } from '../layout/index.ts';
import { type CallFinder, type QueuedCall, scanCalls, toQueuedCall } from '../lookup/index.ts';

/** A call that has not ended, by its newest message at the time. */
export interface LivingCall {
  readonly queued: QueuedCall;
  /** `delivered` is `queued` or `running`, where the filter does not tell them apart: workers are not asked then. */
  readonly status: Exclude<CallStatus, 'succeeded' | 'failed' | 'cancelled' | 'expired'> | 'delivered';
}

interface LivingCallsDependencies {
  readonly topology: Pick<QueueTopology, 'manager' | 'listQueues'>;
  readonly finder: Pick<CallFinder, 'find'>;
  /** By the broker's clock: Unix time in milliseconds. */
  readonly now: () => number;
}

/** Calls that move to the end of their queue while it is read are looked for there, so many times. */
const maxPasses = 3;

/** Reads all calls that have not ended and that a filter selects, as they are in their queues. */
export class LivingCalls {
  readonly #deps: LivingCallsDependencies;

  constructor(deps: LivingCallsDependencies) {
    this.#deps = deps;
  }

  /**
   * Yields the calls that were accepted before it began, in parts of up to 256, with their bodies. A part is empty if none
   * of the calls that were read is selected, so that the reader can stop. A call that is retried
   * in the meantime may be yielded twice; one that has ended meanwhile may be among them. Statuses of ended calls select
   * none. Throws `QueueError`.
   */
  async *each(filter: CallFilter): AsyncGenerator<LivingCall[], void, void> {
    const begunAt = this.#deps.now();
    const toMs = Math.min(filter.toMs ?? begunAt, begunAt);
    for (const queue of await this.#deps.topology.listQueues()) {
      if (filter.queue === undefined || filter.queue === queue) {
        yield* this.#inQueue(queue, { ...filter, toMs });
      }
    }
  }

  async *#inQueue(queue: string, filter: CallFilter): AsyncGenerator<LivingCall[], void, void> {
    const subjects = (filter.functions ?? [undefined]).map((name) => waitingFilter(queue, name));
    let from = 1;
    for (let pass = 0; pass < maxPasses; pass++) {
      const end = await this.#lastSequence(queue);
      if (end < from) {
        return;
      }
      for (const subject of subjects) {
        yield* this.#inRange({ queue, filter: subject, from }, end, filter);
      }
      from = end + 1;
    }
  }

  async *#inRange(
    range: { readonly queue: string; readonly filter: string; readonly from: number },
    end: number,
    filter: CallFilter,
  ): AsyncGenerator<LivingCall[], void, void> {
    for (let { from } = range; from <= end; ) {
      const messages = await scanCalls(this.#deps.topology.manager, { ...range, from });
      const last = messages.at(-1);
      if (last === undefined) {
        return;
      }
      from = last.seq + 1;
      const calls = messages.filter(({ seq }) => seq <= end).flatMap((message) => toQueuedCall(message) ?? []);
      yield await this.#select(calls, filter);
    }
  }

  async #select(calls: readonly QueuedCall[], filter: CallFilter): Promise<LivingCall[]> {
    const selected = calls.filter(({ call }) => isInFilter(filter, factsOfCall(call)));
    const progress = new Map<string, Promise<LaneProgress>>();
    const read = async (queued: QueuedCall): Promise<LivingCall[]> => {
      const status = await this.#statusOf(queued, filter, progress);
      const isSelected = status !== undefined && (status === 'delivered' || (filter.statuses?.has(status) ?? true));
      return isSelected ? [{ queued, status }] : [];
    };
    // At once: a worker that does not answer is waited for.
    return (await Promise.all(selected.map(read))).flat();
  }

  /** Undefined for a call that has ended. */
  async #statusOf(
    queued: QueuedCall,
    { statuses }: CallFilter,
    progress: Map<string, Promise<LaneProgress>>,
  ): Promise<LivingCall['status'] | undefined> {
    const { call, subject } = queued;
    if (subject.readiness === 'later') {
      return phaseUntilDue(call);
    }
    if (subject.readiness !== 'ready') {
      return 'queued';
    }
    const known = progress.get(subject.function) ?? laneProgress(this.#deps.topology.manager, subject);
    progress.set(subject.function, known);
    if (wasDelivered(await known, queued) === 'no') {
      return 'queued';
    }
    if (statuses === undefined || (statuses.has('queued') && statuses.has('running'))) {
      return 'delivered';
    }
    const state = await this.#deps.finder.find(addressOf(identityOf(call)));
    return state?.kind === 'active' ? state.phase : undefined;
  }

  async #lastSequence(queue: string): Promise<number> {
    try {
      return (await this.#deps.topology.manager.streams.info(queueStream(queue))).state.last_seq;
    } catch (error) {
      if (isApiError(error, 'streamNotFound')) {
        return 0;
      }
      throw asQueueError(error, `queue ${queue} cannot be read`);
    }
  }
}
