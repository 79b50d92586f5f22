import type { AttemptRecord } from '@asyncfn/queue-core';
import type { Delivery } from '@asyncfn/queue-core/jetstream';
import { mayExpire, permitStart, type StartPermit } from '../expiry/index.ts';
import type { Entrance, Pass } from '../limiter/index.ts';
import type { RunningAttempt } from '../running/index.ts';
import {
  type CountedCall,
  type DeliveredCall,
  expiredEnd,
  type FollowUp,
  type ProgressCheck,
  undecidedMs,
} from '../settle/index.ts';
import { isNew } from './attempt-rules.ts';
import type { CallRunnerOptions } from './call-runner-options.ts';

/** Whether a call may be sent to its function. */
export type Admission =
  /** `history` is what became of the attempts before, for a call that was delivered before. */
  | { readonly kind: 'admitted'; readonly pass: Pass; readonly history?: AttemptRecord[] }
  | { readonly kind: 'denied'; readonly followUp: FollowUp }
  | { readonly kind: 'cancelled' };

export interface AdmissionsOptions
  extends Pick<CallRunnerOptions, 'settler' | 'running' | 'notes' | 'expiries' | 'now'> {
  readonly progress: Pick<ProgressCheck, 'check'>;
}

const denied: Admission = { kind: 'denied', followUp: undefined };

/** What was seen before this time, in milliseconds, is looked at again before a call that was delivered before is run. */
const longAgoMs = 1_000;

/** Lets calls start. */
export class Admissions {
  readonly #options: AdmissionsOptions;

  constructor(options: AdmissionsOptions) {
    this.#options = options;
  }

  /** Most calls are new and cannot expire, and enter without an additional promise. */
  enter(delivered: CountedCall, gate: Entrance, attempt: RunningAttempt): Admission | Promise<Admission> {
    const entered = gate.enter(attempt.signal);
    const isUndecided = entered instanceof Promise || mayExpire(delivered.call) || isAgain(delivered);
    return isUndecided ? this.#admit(delivered, entered, attempt) : { kind: 'admitted', pass: entered };
  }

  /** Waits until the gate admits the call. A call that must not start by then is ended or handed back. */
  async #admit(
    delivered: CountedCall,
    entered: Pass | Promise<Pass | undefined>,
    attempt: RunningAttempt,
  ): Promise<Admission> {
    const { settler, running } = this.#options;
    const since = performance.now();
    const pass = await entered;
    if (pass === undefined && attempt.isCancelled) {
      return { kind: 'cancelled' };
    }
    if (pass === undefined) {
      await settler.handBack(delivered);
      return denied;
    }
    // While it waited, the worker that had it before may have ended it.
    const mayHaveEnded = entered instanceof Promise && (!isNew(delivered) || running.mayHaveMissedCancel(since));
    const denial = mayHaveEnded && (await this.#checkAgain(delivered, pass));
    if (denial) {
      return denial;
    }
    const permit = await this.#permit(delivered, pass);
    if (permit === 'start') {
      return isAgain(delivered) ? this.#startAgain(delivered, pass) : { kind: 'admitted', pass };
    }
    if (permit === 'expire') {
      return { kind: 'denied', followUp: await settler.end(delivered, expiredEnd(delivered.call)) };
    }
    await settler.handBack(delivered, undecidedMs);
    return denied;
  }

  /** Releases the pass unless the answer is `start`. */
  async #permit({ call, isFirst = false }: DeliveredCall<Delivery>, pass: Pass): Promise<StartPermit> {
    let permit: StartPermit = 'wait';
    try {
      permit = await permitStart(call, isFirst, this.#options.expiries, this.#options.now);
    } finally {
      if (permit !== 'start') {
        pass.leave('unclear');
      }
    }
    return permit;
  }

  /** While a broker that hardly answers keeps the call from beginning, the worker that had it before may end it. */
  async #startAgain(delivered: CountedCall, pass: Pass): Promise<Admission> {
    const history = await this.#options.notes.beginAgain(delivered);
    const mayHaveEnded = performance.now() - delivered.seenAt > longAgoMs;
    return (mayHaveEnded && (await this.#checkAgain(delivered, pass, true))) || { kind: 'admitted', pass, history };
  }

  /**
   * Returns a denial if the call has progressed meanwhile. Releases the pass unless it may start.
   * @param isBegun whether it is noted that an attempt begins with this delivery. Default: no
   */
  async #checkAgain(delivered: CountedCall, pass: Pass, isBegun = false): Promise<Admission | undefined> {
    let handled: FollowUp | 'invoke';
    try {
      handled = await this.#options.progress.check(delivered, isBegun);
    } finally {
      if (handled !== 'invoke') {
        pass.leave('unclear');
      }
    }
    return handled === 'invoke' ? undefined : { kind: 'denied', followUp: handled };
  }
}

function isAgain({ delivery }: CountedCall): boolean {
  return delivery.info.deliveries > 1;
}
