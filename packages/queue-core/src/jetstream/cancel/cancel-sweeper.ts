import { addressOf, emptyBody, keyOf } from '../../call/index.ts';
import type { Outcome } from '../../records/index.ts';
import { endTurn, type Flows } from '../flows/index.ts';
import { isFresh } from '../layout/index.ts';
import type { CallFinder, QueuedCall } from '../lookup/index.ts';
import type { RunningCallClient } from '../running-calls/index.ts';
import type { CallStore, CancelIntent, CancelIntents } from '../store/index.ts';
import type { CallRemover } from './call-remover.ts';

export interface CancelSweeperDependencies {
  readonly finder: Pick<CallFinder, 'findQueued'>;
  readonly calls: Pick<CallStore, 'recordOutcome' | 'findOutcome'>;
  readonly intents: Pick<CancelIntents, 'list' | 'drop'>;
  readonly remover: Pick<CallRemover, 'removeAll'>;
  readonly runningCalls: Pick<RunningCallClient, 'broadcastCancel'>;
  readonly flows: Pick<Flows, 'removed'>;
}

/** A gateway that cancels a call takes far less time, or is dead. */
const overdueMs = 10_000;
/** Most intents handled in one round. */
const maxIntents = 500;

/** Finishes cancels that were interrupted by the death of their gateway. */
export class CancelSweeper {
  readonly #deps: CancelSweeperDependencies;

  constructor(deps: CancelSweeperDependencies) {
    this.#deps = deps;
  }

  /** Returns how many intents were handled. Safe in many processes at once. Throws `QueueError`. */
  async sweep(now: number): Promise<number> {
    const intents = await this.#deps.intents.list(maxIntents);
    const overdue = intents.filter(({ storedAtMs }) => storedAtMs <= now - overdueMs);
    for (const intent of overdue) {
      await this.#finish(intent);
    }
    return overdue.length;
  }

  async #finish(intent: CancelIntent): Promise<void> {
    const { calls, finder, intents } = this.#deps;
    const { outcome } = intent;
    const seenAt = performance.now();
    const ended = await calls.findOutcome(outcome);
    const queued = await finder.findQueued(addressOf(outcome));
    const left = queued !== undefined && keyOf(queued.call).generation === outcome.generation ? queued : undefined;
    if (ended === undefined && wasRemoved(intent, left)) {
      // It was removed from the queue and has no outcome yet: this is its end.
      if (!isFresh(seenAt)) {
        return; // this process has stood still: the next sweep looks again
      }
      const result = await calls.recordOutcome(intent.outcome, emptyBody);
      if (result.kind === 'refused') {
        return; // the next sweep checks whether it has another outcome
      }
      await this.#clearAway(left);
      await this.#endTurn(outcome);
    } else if (ended?.outcome.status === 'cancelled') {
      await this.#clearAway(left);
      await this.#endTurn(outcome);
    }
    // A call that is still queued without an outcome was not cancelled, and its caller was not told that it was.
    await intents.drop(intent);
  }

  async #endTurn({ callId: id, flowKey: key, ...of }: Outcome): Promise<void> {
    if (key !== undefined) {
      await endTurn(this.#deps.flows, { ...of, id, flow: { key } });
    }
  }

  async #clearAway(left: QueuedCall | undefined): Promise<void> {
    if (left !== undefined) {
      await this.#deps.remover.removeAll(left.subject);
      this.#deps.runningCalls.broadcastCancel(keyOf(left.call));
    }
  }
}

/**
 * Whether the message to be cancelled has left the queue. An older one may still be there: that of the previous
 * attempt, whose worker has stored a retry but not acked yet.
 */
function wasRemoved({ callSequence }: CancelIntent, left: QueuedCall | undefined): boolean {
  return left === undefined || left.sequence < callSequence;
}
