import {
  addressOf,
  type BodyObject,
  type CallAddress,
  emptyBody,
  identityOf,
  isSameCall,
  keyOf,
} from '../../call/index.ts';
import { type PublishResult, type RefusalReason, refused as refusedAs } from '../../publish-result.ts';
import type { CallState, EndedCall, Outcome } from '../../records/index.ts';
import type { BodyStore } from '../bodies/index.ts';
import { endTurn, type Flows } from '../flows/index.ts';
import { isFresh } from '../layout/index.ts';
import { attemptOf, type CallFinder, type QueuedCall } from '../lookup/index.ts';
import { retryWhileUndecided } from '../messages/index.ts';
import type { RunningCallClient } from '../running-calls/index.ts';
import { type CallStore, type CancelIntents, toCancelled } from '../store/index.ts';
import type { CallRemover } from './call-remover.ts';

export type CancelResult =
  /** We have ended it as `cancelled`. */
  | { readonly kind: 'cancelled'; readonly call: EndedCall }
  /** It had already ended, as `call` says. */
  | { readonly kind: 'ended'; readonly call: EndedCall }
  | { readonly kind: 'unknown' }
  /** The broker could not store it. The call may still be cancelled, or continue: ask for its state. */
  | {
      readonly kind: 'refused';
      readonly reason: Exclude<RefusalReason, 'conflict' | 'too_large'>;
      readonly detail: string;
    };

/** Counts the bytes of a body that is held while its call is cancelled; undefined if there is no room for it. */
export type HoldBody = (bytes: number) => Disposable | undefined;

export interface CallCancellerDependencies {
  readonly finder: Pick<CallFinder, 'find' | 'findQueued'>;
  readonly calls: Pick<CallStore, 'recordOutcome' | 'findOutcome' | 'renewOutcome' | 'putBack'>;
  readonly intents: Pick<CancelIntents, 'store' | 'drop'>;
  readonly remover: Pick<CallRemover, 'remove' | 'removeAll' | 'isDelivered'>;
  readonly runningCalls: Pick<RunningCallClient, 'ask' | 'abort' | 'broadcastCancel'>;
  /** Removes the bodies of cancelled calls that are stored apart. Default: the sweeper does. */
  readonly bodies?: Pick<BodyStore, 'keep' | 'removeUnused'>;
  /** Ends the turns of calls with a flow key. */
  readonly flows: Pick<Flows, 'removed'>;
  /** Retries that a call of the function may have if the call does not say. */
  readonly maxRetries: (functionName: string) => number;
  /** Unix time in milliseconds. */
  readonly now?: () => number;
  /** Monotonic clock in milliseconds. */
  readonly monotonicNow?: () => number;
}

/** A call that changes state faster than it can be cancelled will end soon. */
const maxTries = 20;
/** How long a worker that has not answered may take to abort the call if it runs it, in milliseconds. */
const silentAbortMs = 700;
/**
 * How long workers may take to say that they run a call before it is cancelled because none does, in milliseconds. A
 * client that asks for a state waits less.
 */
const patienceMs = 2_000;

/**
 * Ends calls as `cancelled`. The outcome decides, as for every end: it is recorded only if none exists, so exactly one
 * of `cancelled` and the real end wins (P2).
 *
 * A call that was never delivered is removed from its queue before the outcome is recorded: its first delivery does not
 * look for an outcome, so it must not come after one. If it was delivered and ended in between, it is put back, so that
 * the follow-up of its end is not lost if its worker dies. A call that was delivered stays until the outcome is stored:
 * each further delivery looks for it, and the follow-up of a real end needs the message. A cancel intent is stored
 * first, so that `sweep` can finish what a crash interrupts.
 */
export class CallCanceller {
  readonly #deps: CallCancellerDependencies;
  readonly #now: () => number;
  readonly #monotonicNow: () => number;

  constructor(deps: CallCancellerDependencies) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
    this.#monotonicNow = deps.monotonicNow ?? performance.now.bind(performance);
  }

  /**
   * Throws `QueueError` if the broker does not answer: it may be repeated.
   * @param hold The call is held whole, since it may have to be put back. Default: it is not counted
   */
  async cancel(address: CallAddress, hold: HoldBody = holdUncounted): Promise<CancelResult> {
    for (let tries = 0; ; tries++) {
      const seenAt = this.#monotonicNow();
      const state = await this.#deps.finder.find(address);
      if (state === undefined) {
        return { kind: 'unknown' };
      }
      const which = state.kind === 'ended' ? state.outcome : identityOf(state.call);
      const queued = await this.#deps.finder.findQueued(addressOf(which));
      if (state.kind === 'ended') {
        await this.#clearAway(state, queued);
        return { kind: 'ended', call: state };
      }
      const result = queued && (await this.#cancelQueued({ ...queued, seenAt }, state, hold));
      if (result !== undefined) {
        return result;
      }
      if (tries >= maxTries) {
        return { kind: 'refused', reason: 'overloaded', detail: 'the call moves faster than it can be cancelled' };
      }
    }
  }

  /**
   * Cancels a waiting call by its newest message, as one of many: tells a worker that runs it by now, without waiting
   * for it. Undefined if the call has changed state. Throws `QueueError`.
   */
  async cancelWaiting(queued: QueuedCall): Promise<CancelResult | undefined> {
    // The purge has just listed it.
    return this.#end({ ...queued, seenAt: this.#monotonicNow() }, undefined, false, async () => {
      await this.#removeFired(queued);
      this.#deps.runningCalls.broadcastCancel(keyOf(queued.call));
    });
  }

  /**
   * Cancels a call that was delivered before, as one of many. Undefined if a worker runs it: then it is left alone. A
   * call that a worker begins at this very moment may be aborted. Throws `QueueError`.
   */
  async cancelUnlessRunning(address: CallAddress, hold?: HoldBody): Promise<CancelResult | undefined> {
    const state = await this.#deps.finder.find(address);
    const isTaken = state?.kind === 'active' && state.phase === 'running';
    return isTaken && !(state.isSilent && (await this.#isLeft(address))) ? undefined : this.cancel(address, hold);
  }

  /** Whether no worker says that it runs the call, even with more time. */
  async #isLeft(address: CallAddress): Promise<boolean> {
    const queued = await this.#deps.finder.findQueued(address);
    const answer = queued && (await this.#deps.runningCalls.ask(attemptOf(queued), { patienceMs, orLeft: false }));
    return answer?.kind === 'silent';
  }

  /** Undefined if the call has changed state in the meantime, so that it must be looked for again. */
  async #cancelQueued(queued: LocatedCall, state: CallState, hold: HoldBody): Promise<CancelResult | undefined> {
    using held = hold(queued.call.body.length);
    if (held === undefined) {
      return { kind: 'refused', reason: 'overloaded', detail: 'there is no room for the body of the call' };
    }
    const isDelivered = await this.#deps.remover.isDelivered(queued);
    return this.#end(queued, state, isDelivered, () => this.#removeAndAbort(queued, state));
  }

  async #end(
    queued: LocatedCall,
    state: CallState | undefined,
    isDelivered: boolean,
    whenCancelled: () => Promise<void>,
  ): Promise<CancelResult | undefined> {
    const { intents, remover } = this.#deps;
    if (!this.#isFresh(queued)) {
      return undefined;
    }
    const outcome = this.#toOutcome(queued, state);
    const intent = await intents.store(outcome, queued.sequence);
    if (intent.kind === 'refused' && intent.reason !== 'queue_full') {
      return refused(intent);
    }
    if (!this.#isFresh(queued)) {
      return undefined; // the intent stays for the next look
    }
    // A full broker has room for the outcome once the call has left its queue.
    if (!isDelivered && !(await remover.remove(queued))) {
      await intents.drop(intent);
      return undefined;
    }
    const result = this.#isFresh(queued) ? await this.#record(queued, outcome) : undefined;
    if (result?.kind === 'cancelled') {
      await whenCancelled();
      await endTurn(this.#deps.flows, queued.call);
    } else if (result?.kind === 'ended' && !isDelivered) {
      await this.#putBack(queued, result.call);
      await this.#keepBody(queued.call.bodyObject);
    }
    // Until an outcome is known, the intent takes its place.
    if (result !== undefined && result.kind !== 'refused') {
      await intents.drop(intent);
    }
    if (result?.kind === 'cancelled') {
      await this.#removeBody(queued.call.bodyObject);
    }
    return result;
  }

  /** A sweeper may have looked for the call while it was not in its queue. The intent is still there. */
  async #keepBody(body: BodyObject | undefined): Promise<void> {
    if (body !== undefined) {
      await this.#deps.bodies?.keep(body);
    }
  }

  /** Never rejects: the call is cancelled, and the sweeper removes what is left. */
  async #removeBody(body: BodyObject | undefined): Promise<void> {
    if (body !== undefined) {
      await this.#deps.bodies?.removeUnused(body).catch(() => undefined);
    }
  }

  /**
   * Whether the call was seen recently. If not, its state may have changed and been forgotten: it must be looked for
   * again.
   */
  #isFresh({ seenAt }: LocatedCall): boolean {
    return isFresh(seenAt, this.#monotonicNow());
  }

  /** Undefined if it took too long, or the outcome that was in the way is forgotten. */
  async #record(queued: LocatedCall, outcome: Outcome): Promise<CancelResult | undefined> {
    const late = refusedAs('timeout', 'it was looked for too long ago');
    const result = await retryWhileUndecided(async () =>
      this.#isFresh(queued) ? this.#deps.calls.recordOutcome(outcome, emptyBody) : late,
    );
    if (result === late) {
      return undefined;
    }
    if (result.kind === 'stored') {
      return { kind: 'cancelled', call: toEnded(outcome) };
    }
    if (result.reason !== 'conflict') {
      return refused(result);
    }
    const found = await this.#deps.calls.findOutcome(outcome);
    if (found === undefined) {
      return undefined;
    }
    const call = toEnded(found.outcome);
    // It may be ours, with a lost confirmation.
    const isOurs = found.outcome.status === 'cancelled' && found.outcome.endedAt === outcome.endedAt;
    return { kind: isOurs ? 'cancelled' : 'ended', call };
  }

  /**
   * Puts back the removed message, which another worker needs if the one that has ended the call dies before its
   * callback. If everything is done by then, the message is acked at its next delivery. A message of the previous
   * attempt may still be in the queue, about to be acked.
   */
  async #putBack({ call }: QueuedCall, { outcome }: EndedCall): Promise<void> {
    // Its outcome must not be forgotten while the message exists.
    const ended = outcome.status === 'cancelled' ? undefined : await this.#deps.calls.findOutcome(outcome);
    const renewed = ended && (await retryWhileUndecided(() => this.#deps.calls.renewOutcome(ended)));
    if (renewed === undefined || (renewed.kind === 'refused' && renewed.reason !== 'conflict')) {
      return;
    }
    const startedAt = outcome.startedAt ?? outcome.endedAt;
    for (let tries = 0; outcome.status !== 'cancelled' && tries < maxTries; tries++) {
      const left = await this.#deps.finder.findQueued(addressOf(outcome));
      if (left !== undefined && !isOf(left, outcome)) {
        return;
      }
      const result = await retryWhileUndecided(() => this.#deps.calls.putBack(call, startedAt, left?.sequence ?? 0));
      if (result.kind === 'stored' || result.reason !== 'conflict') {
        return;
      }
    }
  }

  /** Removes all messages of the call, and aborts it in the worker that runs it. */
  async #removeAndAbort(queued: QueuedCall, state: CallState | undefined): Promise<void> {
    const { remover, runningCalls } = this.#deps;
    const key = keyOf(queued.call);
    await remover.removeAll(queued.subject);
    const isHeld = state?.kind === 'active' && state.phase === 'running' && !state.isSilent;
    if (isHeld) {
      await runningCalls.abort(key);
    } else if (await remover.isDelivered(queued)) {
      await runningCalls.abort(key, silentAbortMs);
    } else {
      // A delivery may still be on its way to a worker.
      runningCalls.broadcastCancel(key);
    }
  }

  /** A schedule that was due at this moment may have put the call on the queue nevertheless. */
  async #removeFired({ subject }: QueuedCall): Promise<void> {
    if (subject.readiness === 'later') {
      await this.#deps.remover.removeAll(subject);
    }
  }

  /** Removes what a crash has left in the queue of a cancelled call. */
  async #clearAway({ outcome }: EndedCall, queued: QueuedCall | undefined): Promise<void> {
    if (outcome.status === 'cancelled' && queued !== undefined && isOf(queued, outcome)) {
      await this.#removeAndAbort(queued, undefined);
      await endTurn(this.#deps.flows, queued.call);
    }
  }

  #toOutcome(queued: QueuedCall, state: CallState | undefined): Outcome {
    const held = state?.kind === 'active' ? state.held : undefined;
    const maxRetries = held?.maxRetries ?? this.#deps.maxRetries(queued.call.function);
    return toCancelled(queued.call, { now: this.#now(), held, maxRetries });
  }
}

/** A call as it was found in its queue, and when, on the monotonic clock. */
interface LocatedCall extends QueuedCall {
  readonly seenAt: number;
}

function holdUncounted(): Disposable {
  return { [Symbol.dispose]: () => {} };
}

/** Whether a message is of the outcome's replay generation. */
function isOf({ call }: QueuedCall, outcome: Outcome): boolean {
  return (call.generation ?? 0) === outcome.generation && isSameCall(identityOf(call), outcome);
}

function toEnded(outcome: Outcome): EndedCall {
  return { kind: 'ended', outcome, callback: undefined };
}

function refused({ reason, detail }: Extract<PublishResult, { kind: 'refused' }>): CancelResult {
  return { kind: 'refused', reason: reason === 'conflict' || reason === 'too_large' ? 'unavailable' : reason, detail };
}
