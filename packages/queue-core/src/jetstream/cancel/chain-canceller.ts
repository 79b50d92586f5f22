import { setTimeout as sleep } from 'node:timers/promises';
import { type CallAddress, emptyBody, ownerOf } from '../../call/index.ts';
import { identityOfNext, maxChainDepth, type NextCall, toCancelledNext } from '../../chain/index.ts';
import type { Outcome } from '../../records/index.ts';
import { retryWhileUndecided } from '../messages/index.ts';
import type { StepQueue } from '../steps/index.ts';
import type { CallStore } from '../store/index.ts';
import type { CallCanceller, CancelResult, HoldBody } from './call-canceller.ts';

export interface ChainCancellerDependencies {
  readonly canceller: Pick<CallCanceller, 'cancel'>;
  readonly steps: Pick<StepQueue, 'cancel'>;
  readonly calls: Pick<CallStore, 'recordOutcome'>;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
}

/** A step that was stored a moment ago, and that the server which answers does not know yet, is looked for again. */
const lookAgainMs = 50;
const maxLooks = 10;

/** Cancels calls together with what follows them in their chains: of a chain, at most one call is open at any time. */
export class ChainCanceller {
  readonly #deps: ChainCancellerDependencies;

  constructor(deps: ChainCancellerDependencies) {
    this.#deps = deps;
  }

  /**
   * Cancels the call, or the step of its chain that is open if the call itself has ended. `ended` means that nothing was
   * open. Throws `QueueError` as `CallCanceller.cancel` does.
   */
  async cancel(address: CallAddress, hold?: HoldBody): Promise<CancelResult> {
    const first = await this.#deps.canceller.cancel(address, hold);
    let last = first;
    for (let steps = 0; steps < maxChainDepth && last.kind === 'ended'; steps++) {
      const { outcome } = last.call;
      if (outcome.next === undefined) {
        return first;
      }
      last = await this.#cancelNext(outcome, outcome.next, hold);
    }
    return last.kind === 'unknown' ? first : last;
  }

  async #cancelNext(outcome: Outcome, next: NextCall, hold: HoldBody | undefined): Promise<CancelResult> {
    const { canceller, steps } = this.#deps;
    const address = { callId: next.callId, owner: ownerOf(outcome.submitter) };
    for (let looks = 0; looks < maxLooks; looks++) {
      const found = await canceller.cancel(address, hold);
      if (found.kind !== 'unknown') {
        return found;
      }
      // It is not stored yet: keep it from being stored.
      const kept = await steps.cancel({ ...identityOfNext(outcome, next), queue: next.queue });
      if (kept.kind === 'cancelled') {
        return this.#recordCancelled(toCancelledNext(outcome, next, (this.#deps.now ?? Date.now)()));
      }
      if (kept.kind === 'refused') {
        const { reason, detail } = kept;
        return {
          kind: 'refused',
          reason: reason === 'conflict' || reason === 'too_large' ? 'unavailable' : reason,
          detail,
        };
      }
      await sleep(lookAgainMs);
    }
    return { kind: 'unknown' }; // it has ended so long ago that its end is forgotten
  }

  /** If this fails, or the gateway dies, the worker that would have stored the step records its end. */
  async #recordCancelled(outcome: Outcome): Promise<CancelResult> {
    await retryWhileUndecided(() => this.#deps.calls.recordOutcome(outcome, emptyBody));
    return { kind: 'cancelled', call: { kind: 'ended', outcome, callback: undefined } };
  }
}
