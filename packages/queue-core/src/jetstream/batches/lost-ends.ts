import { type BatchItem, type BatchState, itemsOfPart } from '../../batches/index.ts';
import { emptyBody } from '../../call/index.ts';
import { QueueError } from '../../errors.ts';
import type { PublishResult } from '../../publish-result.ts';
import type { Outcome } from '../../records/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { findMoving, tokensOf } from '../maintenance/index.ts';
import type { CallStore } from '../store/index.ts';
import type { BatchStore } from './batch-store.ts';

export interface LostEndsDependencies {
  readonly batches: Pick<BatchStore, 'listEnds' | 'readItems'>;
  readonly calls: Pick<CallStore, 'findOutcome' | 'recordOutcome' | 'putMark'>;
  readonly topology: Pick<QueueTopology, 'manager'>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** An accepted call of a batch. */
interface Accepted {
  readonly index: number;
  readonly callId: string;
  readonly submitter?: string;
  readonly startTime: string;
  readonly generation: 0;
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

  constructor(deps: LostEndsDependencies) {
    this.#deps = deps;
  }

  /** Stores what is missing; returns for how many calls. Throws `QueueError`. */
  async restore(state: BatchState): Promise<number> {
    const { batches, topology } = this.#deps;
    const ended = await batches.listEnds(state);
    let restored = 0;
    for (let part = 0; part < state.parts; part++) {
      const items = (await batches.readItems(state, part)) ?? [];
      const open = toAccepted(state, items, part).filter(({ index }) => !ended.has(index));
      const moving = await findMoving(topology.manager, open);
      for (const call of open.filter((each) => !moving.has(tokensOf(each)))) {
        await this.#restore(state, call);
        restored += 1;
      }
    }
    return restored;
  }

  async #restore({ batchId: id }: BatchState, call: Accepted): Promise<void> {
    const { calls, now } = this.#deps;
    const batch = { id, index: call.index };
    const known = (await calls.findOutcome(call))?.outcome;
    const { index: _, ...key } = call;
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
    const result =
      known === undefined ? await calls.recordOutcome(lost, emptyBody) : await calls.putMark({ ...known, batch });
    insist(result);
  }
}

/** A conflict is an end that has come in the meantime. */
function insist(result: PublishResult | undefined): void {
  if (result?.kind === 'refused' && result.reason !== 'conflict') {
    throw new QueueError('broker', `the end of a call of a batch cannot be restored: ${result.detail}`);
  }
}

function toAccepted({ submitter }: BatchState, items: readonly BatchItem[], part: number): Accepted[] {
  return items.flatMap((item, at) => {
    if ('problem' in item) {
      return [];
    }
    const { callId, startTime, function: name, queue } = item;
    const index = part * itemsOfPart + at;
    const owner = submitter === undefined ? {} : { submitter };
    return [{ index, callId, ...owner, startTime, generation: 0 as const, function: name, queue }];
  });
}
