import { type CallIdentity, keyOf, QueueError, retry } from '@asyncfn/queue-core';
import type { CallStore, Delivery, StoredOutcome } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { type CallBytes, isReserved } from '../memory/index.ts';
import type { RunningCalls } from '../running/index.ts';
import type { DeliveredCall, Settler } from './settler.ts';

/** A call in hand whose bytes are counted. */
export interface CountedCall extends DeliveredCall<Delivery> {
  readonly bytes: CallBytes;
}

export interface ProgressCheckOptions {
  readonly settler: Pick<Settler, 'end' | 'resume' | 'handBack'>;
  readonly store: Pick<CallStore, 'placeOf' | 'findOutcome'>;
  readonly running: Pick<RunningCalls, 'wasCancelled' | 'mayHaveMissedCancel'>;
  /** How many deliveries of the call were begun and not handed back: see `Handovers`. */
  readonly countUnfinished: (call: CallIdentity) => Promise<number>;
  readonly maxResponseBytes: number;
  readonly logger: Logger;
  /** Aborts when the worker gives up what it has in hand. */
  readonly signal: AbortSignal;
}

/** What is left to do for a call when its slot is free again. */
export type FollowUp = (() => Promise<void>) | undefined;

/** A call whose worker has died this often in the middle of it is not given to a further one. */
const maxWorkerCrashes = 5;
/** When a call comes back that another worker is ending, or of which it could not be decided whether it may start. */
export const undecidedMs = 5_000;
/** How long another that is ending a call gets for that, in milliseconds. After that it is taken for dead. */
export const otherWorkerMs = 2_000;
/** A broker that does not answer is asked again for three seconds. */
const recheckWaits: readonly number[] = Array.from({ length: 12 }, () => 250);

/** Finds out whether a call that a worker may have had before has got further than its delivery says. */
export class ProgressCheck {
  readonly #options: ProgressCheckOptions;

  constructor(options: ProgressCheckOptions) {
    this.#options = options;
  }

  /** `invoke`, or the call is dealt with but for the rest. */
  async check(delivered: CountedCall): Promise<FollowUp | 'invoke'> {
    const { maxResponseBytes, signal } = this.#options;
    // An end is read with its result, whose size is not known before.
    if (!(await isReserved(delivered.bytes.result, maxResponseBytes, { signal }))) {
      return undefined; // the worker stops, and gives it back
    }
    const handled = await this.#checkUntilAnswered(delivered);
    if (handled === 'invoke' || handled === undefined) {
      delivered.bytes.result.release();
    }
    return handled;
  }

  /**
   * An outage that is over leaves the broker silent for a moment. A call whose end cannot be looked for even then goes back:
   * no worker has died with it.
   */
  async #checkUntilAnswered(delivered: CountedCall): Promise<FollowUp | 'invoke'> {
    const { settler, logger } = this.#options;
    const check = () => this.#checkOnce(delivered).catch(asUnanswered);
    const checked = await retry(check, { waits: recheckWaits, until: (last) => !(last instanceof QueueError) });
    if (!(checked instanceof QueueError)) {
      return checked;
    }
    const { callId, function: name, queue } = delivered.delivery;
    const fields = { err: checked, callId, function: name, queue };
    logger.warn(fields, 'it cannot be seen whether a call has ended, it goes back');
    await settler.handBack(delivered, undecidedMs);
    return undefined;
  }

  async #checkOnce(delivered: CountedCall): Promise<FollowUp | 'invoke'> {
    const { store, running } = this.#options;
    const { call } = delivered;
    // What was sent long ago may be of a call that has ended since, and whose end is forgotten.
    if (!delivered.isFirst || running.wasCancelled(call) || running.mayHaveMissedCancel()) {
      return await this.#checkAll(delivered);
    }
    // Of two workers that had the attempt before, one may have ended the call, and the other stored this retry;
    // or it was put back after it had ended, by a gateway that came too late to cancel it.
    const ended = await store.findOutcome(keyOf(call));
    return ended === undefined ? 'invoke' : this.#resume(delivered, ended);
  }

  /**
   * A call that was delivered before: its worker may have got further than its acknowledgement. The order matters:
   * an attempt that follows this one is looked for first, since it leaves the stream only after its outcome is there.
   */
  async #checkAll(delivered: CountedCall): Promise<FollowUp | 'invoke'> {
    const { store, settler } = this.#options;
    const { delivery, call } = delivered;
    const place = await store.placeOf(delivery);
    if (place === 'superseded') {
      delivery.ack(); // it is history: somebody has stored what follows
      return undefined;
    }
    if (place === 'not seen') {
      delivery.nak(undecidedMs); // if it has gone from its queue, the broker drops it
      return undefined;
    }
    const ended = await store.findOutcome(keyOf(call));
    if (ended !== undefined) {
      return this.#resume(delivered, ended);
    }
    const earlier = delivery.info.deliveries - 1;
    if (earlier < maxWorkerCrashes || (await this.#options.countUnfinished(delivery)) < maxWorkerCrashes) {
      return 'invoke';
    }
    delivered.bytes.result.release();
    return settler.end(delivered, { status: 'failed', reason: 'worker_crash', maxRetries: call.maxRetries ?? 0 });
  }

  /**
   * The end of a call that its consumer delivers for the first time was recorded by another who may be alive, and sending the
   * callback: the expiry processor, or a worker whose consumer was removed. It gets time for that, as the lane does there.
   */
  async #resume(delivered: CountedCall, ended: StoredOutcome): Promise<FollowUp> {
    const { settler } = this.#options;
    const { delivery, call } = delivered;
    const hasCallback = call.callbackUrl !== undefined && ended.outcome.status !== 'cancelled';
    if (hasCallback && delivery.info.deliveries === 1) {
      await settler.handBack(delivered, otherWorkerMs);
      return undefined;
    }
    delivered.bytes.result.shrink(ended.body.length);
    return () => settler.resume(delivered, ended);
  }
}

/** The broker has not answered. Other errors go on. */
function asUnanswered(error: unknown): QueueError {
  if (error instanceof QueueError) {
    return error;
  }
  throw error;
}
