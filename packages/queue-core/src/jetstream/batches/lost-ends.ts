import { type BatchItem, type BatchState, intentsFilter, itemsOfPart, queuedFilter } from '../../batches/index.ts';
import { type CallIdentity, emptyBody, parseCallSubject, queueStream } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import { FairTurns } from '../../fair-turns.ts';
import type { PublishResult } from '../../publish-result.ts';
import type { Outcome } from '../../records/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { isApiError } from '../error-codes.ts';
import { cancelStream, type QueueTopology } from '../layout/index.ts';
import type { CallStore } from '../store/index.ts';
import type { BatchStore } from './batch-store.ts';

export interface LostEndsDependencies {
  readonly batches: Pick<BatchStore, 'listEnds' | 'readItems'>;
  readonly calls: Pick<CallStore, 'findOutcome' | 'recordOutcome' | 'putMark'>;
  readonly topology: Pick<QueueTopology, 'manager'>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Monotonic clock in milliseconds. Default: that of the process. */
  readonly monotonicNow?: () => number;
}

/**
 * After a look that took the broker long, in milliseconds, as many times that long passes before the next one. It walks all calls of a queue
 * for each batch, and thousands of batches may be open while a million calls wait.
 */
const longMs = 20;
const restFactor = 20;

/** An accepted call of a batch. */
interface Accepted extends CallIdentity {
  readonly index: number;
  readonly function: string;
  readonly queue: string;
}

/**
 * Finds the calls of a batch that have ended without a mark. A call is in its queue until its outcome is stored; while it is being
 * cancelled, an intent says so. If it is in neither, in this order, its outcome could not be stored, or an older worker has stored
 * it without a mark.
 */
export class LostEnds {
  readonly #deps: LostEndsDependencies;
  readonly #turns = new FairTurns({ max: 1 });
  /** On the monotonic clock. */
  #restsUntil = 0;
  readonly #monotonicNow: () => number;

  constructor(deps: LostEndsDependencies) {
    this.#deps = deps;
    this.#monotonicNow = deps.monotonicNow ?? performance.now.bind(performance);
  }

  /** Stores what is missing; returns for how many calls: 0 as well if it was too soon to look. Throws `QueueError`. */
  restore(state: BatchState): Promise<number> {
    return this.#turns.run(() => this.#restoreInTurn(state));
  }

  async #restoreInTurn(state: BatchState): Promise<number> {
    if (this.#monotonicNow() < this.#restsUntil) {
      return 0;
    }
    const open = await this.#listOpen(state);
    const held = await this.#listHeld(state, new Set(open.map(({ queue }) => queue)));
    const lost = open.filter(({ callId }) => !held.has(callId));
    for (const call of lost) {
      await this.#restore(state, call);
    }
    return lost.length;
  }

  /** The ids of calls of the batch that are in these queues, or are being cancelled. */
  async #listHeld(state: BatchState, queues: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const held = new Set<string>();
    const startedAt = this.#monotonicNow();
    for (const queue of queues) {
      for (const subject of await this.#subjects(queueStream(queue), queuedFilter(state, queue))) {
        held.add(parseCallSubject(subject)?.callId ?? '');
      }
    }
    for (const subject of await this.#subjects(cancelStream, intentsFilter(state))) {
      held.add(subject.split('.')[1] ?? '');
    }
    const endedAt = this.#monotonicNow();
    const tookMs = endedAt - startedAt;
    this.#restsUntil = endedAt + (tookMs < longMs ? 0 : restFactor * tookMs);
    return held;
  }

  /** The accepted calls without a mark. */
  async #listOpen(state: BatchState): Promise<Accepted[]> {
    const { batches } = this.#deps;
    const ended = await batches.listEnds(state);
    const open: Accepted[] = [];
    for (let part = 0; part < state.parts; part++) {
      const items = (await batches.readItems(state, part)) ?? [];
      open.push(...toAccepted(state, items, part).filter(({ index }) => !ended.has(index)));
    }
    return open;
  }

  /** By the stream's leader, and without the messages. */
  async #subjects(stream: string, filter: string): Promise<string[]> {
    try {
      const { state } = await this.#deps.topology.manager.streams.info(stream, { subjects_filter: filter });
      return Object.keys(state.subjects ?? {});
    } catch (error) {
      if (isApiError(error, 'streamNotFound')) {
        return [];
      }
      throw asQueueError(error, `the calls of a batch in ${stream} cannot be listed`);
    }
  }

  async #restore({ batchId: id }: BatchState, { index, ...call }: Accepted): Promise<void> {
    const { calls, now } = this.#deps;
    const key = { ...call, generation: 0 };
    const batch = { id, index };
    const known = (await calls.findOutcome(key))?.outcome;
    const lost: Outcome = {
      v: 1,
      ...key,
      status: 'failed',
      reason: 'outcome_lost',
      attempts: 0,
      maxRetries: 0,
      endedAt: now(),
      headers: [],
      batch,
    };
    insist(known === undefined ? await calls.recordOutcome(lost, emptyBody) : await calls.putMark({ ...known, batch }));
  }
}

/** A conflict is an end that has come in the meantime. */
function insist(result: PublishResult | undefined): void {
  if (result?.kind === 'refused' && result.reason !== 'conflict') {
    throw new QueueError('broker', `the end of a call of a batch cannot be restored: ${result.detail}`);
  }
}

function toAccepted({ submitter, startTime }: BatchState, items: readonly BatchItem[], part: number): Accepted[] {
  const owner = submitter === undefined ? {} : { submitter };
  return items.flatMap((item, at) => {
    if ('problem' in item) {
      return [];
    }
    const { callId, function: name, queue } = item;
    return [{ index: part * itemsOfPart + at, callId, ...owner, startTime, function: name, queue }];
  });
}
