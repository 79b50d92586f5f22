import { type AttemptRecord, type CallIdentity, keyOf, QueueError, retry } from '@asyncfn/queue-core';
import type { CallStore, Delivery, StoredOutcome } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { type CallBytes, isReserved } from '../memory/index.ts';
import type { ReplyStore } from '../replies/index.ts';
import type { RunningCalls } from '../running/index.ts';
import type { DeliveredCall } from './delivered-call.ts';
import type { Settler } from './settler.ts';

/** A delivered call whose bytes count towards the budgets. */
export interface CountedCall extends DeliveredCall<Delivery> {
  readonly bytes: CallBytes;
}

export interface ProgressCheckOptions {
  readonly settler: Pick<Settler, 'end' | 'resume' | 'handBack'>;
  readonly store: Pick<CallStore, 'placeOf' | 'findOutcome'>;
  readonly running: Pick<RunningCalls, 'wasCancelled' | 'mayHaveMissedCancel'>;
  /** Knows the attempts that were lost with their workers: see `AttemptNotes`. */
  readonly notes: { findAll(delivered: CountedCall): Promise<AttemptRecord[]> };
  /** Counts the deliveries of the call that were begun and not handed back: see `Handovers`. */
  readonly countUnfinished: (call: CallIdentity) => Promise<number>;
  /** `recordBytes`: the largest result that an outcome can have beside it. */
  readonly replies: Pick<ReplyStore, 'recordBytes'>;
  readonly logger: Logger;
  /** Aborts when the worker gives up the calls in flight. */
  readonly signal: AbortSignal;
}

/** Work that is left for a call after its slot is released; undefined if none. */
export type FollowUp = (() => Promise<void>) | undefined;

/** A call whose worker has died this often while running it is not run again. */
const maxWorkerCrashes = 5;
/** Delay before a call comes back that another worker is ending, or whose start could not be decided. */
export const undecidedMs = 5_000;
/** How long another worker may take to end a call before it is assumed to be dead, in milliseconds. */
export const otherWorkerMs = 2_000;
/** A broker that does not answer is asked again for three seconds. */
const recheckWaits: readonly number[] = Array.from({ length: 12 }, () => 250);

/** Checks whether a call that a worker may have had before has progressed beyond its delivery. */
export class ProgressCheck {
  readonly #options: ProgressCheckOptions;

  constructor(options: ProgressCheckOptions) {
    this.#options = options;
  }

  /**
   * Returns `invoke` if the function is to be invoked; otherwise the call is handled except for the follow-up.
   * @param isBegun whether it is noted that an attempt begins with this delivery: it is none that a worker died of, and
   * if it goes back, that is noted too. Default: no
   */
  async check(delivered: CountedCall, isBegun = false): Promise<FollowUp | 'invoke'> {
    const { replies, signal } = this.#options;
    // An outcome is read with its result, whose size is not known in advance.
    if (!(await isReserved(delivered.bytes.result, replies.recordBytes, { signal }))) {
      return undefined; // the worker stops, and hands it back
    }
    const handled = await this.#checkUntilAnswered(delivered, isBegun);
    if (handled === 'invoke' || handled === undefined) {
      delivered.bytes.result.release();
    }
    return handled;
  }

  /**
   * After an outage the broker may be silent for a moment. A call whose outcome still cannot be read goes back: no
   * worker has died running it.
   */
  async #checkUntilAnswered(delivered: CountedCall, isBegun: boolean): Promise<FollowUp | 'invoke'> {
    const { settler, logger } = this.#options;
    const check = () => this.#checkOnce(delivered, isBegun).catch(asUnanswered);
    const checked = await retry(check, { waits: recheckWaits, until: (last) => !(last instanceof QueueError) });
    if (!(checked instanceof QueueError)) {
      return checked;
    }
    const { callId, function: name, queue } = delivered.delivery;
    const fields = { err: checked, callId, function: name, queue };
    logger.warn(fields, 'the outcome of a call cannot be read: the call goes back to its queue');
    await settler.handBack(delivered, undecidedMs);
    return undefined;
  }

  async #checkOnce(delivered: CountedCall, isBegun: boolean): Promise<FollowUp | 'invoke'> {
    const { store, running } = this.#options;
    const { call } = delivered;
    // An old delivery may be of a call that has ended since, and whose outcome is forgotten.
    if (!delivered.isFirst || running.wasCancelled(call) || running.mayHaveMissedCancel()) {
      return await this.#checkAll(delivered, isBegun);
    }
    // If two workers had the previous attempt, one may have ended the call and the other stored this retry; or a
    // gateway that came too late to cancel the call has put it back after its end.
    const ended = await store.findOutcome(keyOf(call));
    return ended === undefined ? 'invoke' : this.#resume(delivered, ended);
  }

  /**
   * For a call that was delivered before: its worker may have died just before the ack. The order matters: a later
   * attempt is looked for first, since it leaves the stream only after its outcome is stored.
   */
  async #checkAll(delivered: CountedCall, isBegun: boolean): Promise<FollowUp | 'invoke'> {
    const { store, settler } = this.#options;
    const { delivery, call } = delivered;
    const place = await store.placeOf(delivery);
    if (place === 'superseded') {
      delivery.ack(); // superseded: a later attempt is stored
      return undefined;
    }
    if (place === 'not seen') {
      // If it has left its queue, the broker drops it.
      await (isBegun ? settler.handBack(delivered, undecidedMs) : delivery.nak(undecidedMs));
      return undefined;
    }
    const ended = await store.findOutcome(keyOf(call));
    if (ended !== undefined) {
      return this.#resume(delivered, ended);
    }
    const earlier = delivery.info.deliveries - 1;
    if (isBegun || earlier < maxWorkerCrashes || (await this.#options.countUnfinished(delivery)) < maxWorkerCrashes) {
      return 'invoke';
    }
    const history = await this.#options.notes.findAll(delivered);
    delivered.bytes.result.release();
    const dead = { ...delivered, call: { ...call, history } };
    return settler.end(dead, { status: 'failed', reason: 'worker_crash', maxRetries: call.maxRetries ?? 0 });
  }

  /**
   * If the consumer delivers the call for the first time, another process that may still be sending the callback has
   * recorded the outcome: the expiry processor, or a worker whose consumer was removed. It gets time for that.
   */
  async #resume(delivered: CountedCall, ended: StoredOutcome): Promise<FollowUp> {
    const { settler } = this.#options;
    const { delivery } = delivered;
    const hasCallback = ended.outcome.callbackUrl !== undefined && ended.outcome.status !== 'cancelled';
    if (hasCallback && delivery.info.deliveries === 1) {
      await settler.handBack(delivered, otherWorkerMs);
      return undefined;
    }
    delivered.bytes.result.shrink(ended.body.length);
    return () => settler.resume(delivered, ended);
  }
}

/** The broker has not answered. Other errors are thrown again. */
function asUnanswered(error: unknown): QueueError {
  if (error instanceof QueueError) {
    return error;
  }
  throw error;
}
