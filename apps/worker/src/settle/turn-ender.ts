import { type Call, type Outcome, QueueError } from '@asyncfn/queue-core';
import type { Flows } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { OnSettleStep } from '../storing/index.ts';
import type { DeliveredCall, SettleableDelivery } from './delivered-call.ts';

export interface TurnOptions {
  /** Ends the turns of calls with a flow key. Undefined if that is done elsewhere. */
  readonly flows: Pick<Flows, 'ended'> | undefined;
  readonly logger: Logger;
  readonly onStep: OnSettleStep;
  /** Returns a call to the queue, and records that no crash has ended its delivery. */
  readonly handBack: (delivery: SettleableDelivery, delayMs?: number) => Promise<void>;
}

/** Delay before a call comes back if the broker could not store what follows its attempt. */
export const fullMs = 5_000;

/** Whether anything is left to do for a call that has ended before it leaves its queue. */
export function hasFollowUp({ flow }: Call, { status, callbackUrl, next }: Outcome): boolean {
  return flow !== undefined || status !== 'succeeded' || callbackUrl !== undefined || next !== undefined;
}

/**
 * Most turns that may end while their calls have given up their slots. If the broker is slower than the functions, more of them
 * would pile up.
 */
const maxWithoutSlot = 256;

/** Ends the turns of calls with a flow key, once they have ended themselves. */
export class TurnEnder {
  readonly #options: TurnOptions;
  #ending = 0;

  constructor(options: TurnOptions) {
    this.#options = options;
  }

  /** Whether so many turns are ending that calls keep their slots meanwhile. */
  get arePilingUp(): boolean {
    return this.#ending > maxWithoutSlot;
  }

  /**
   * Gives the next call of the flow key of an ended call the turn. Returns whether that is done. If not, the call is handed
   * back, so that it is tried again: a call leaves its queue after its turn has ended.
   */
  async end({ call, delivery }: DeliveredCall): Promise<boolean> {
    const { flows, logger, onStep, handBack } = this.#options;
    if (call.flow === undefined || flows === undefined) {
      return true;
    }
    const { id: callId, function: name, queue } = call;
    this.#ending += 1;
    const problem = await problemOf(flows, call).finally(() => {
      this.#ending -= 1;
    });
    if (problem === undefined) {
      onStep('turn ended', callId);
      return true;
    }
    logger.warn({ callId, function: name, queue, ...problem }, 'the turn of a call could not be ended yet');
    await handBack(delivery, fullMs);
    return false;
  }
}

/** For the log; undefined if the turn has ended. */
async function problemOf(flows: Pick<Flows, 'ended'>, call: Call): Promise<object | undefined> {
  try {
    const result = await flows.ended(call);
    return result.kind === 'done' ? undefined : { detail: result.detail };
  } catch (err) {
    if (!(err instanceof QueueError)) {
      throw err;
    }
    return { err };
  }
}
