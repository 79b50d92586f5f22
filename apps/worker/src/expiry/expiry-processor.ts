import { type Call, type ExpiryTimer, identityIn, needsTurn, type Outcome, type QueueError } from '@asyncfn/queue-core';
import {
  type CallStore,
  type ExpiryDelivery,
  type ExpiryStore,
  endTurn,
  type Flows,
} from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { type ByteBudget, ownerOf } from '../memory/index.ts';
import { type DeliveredCall, expiredEnd, otherWorkerMs, type Settler } from '../settle/index.ts';

export interface ExpiryProcessorOptions {
  readonly expiries: Pick<ExpiryStore, 'claim' | 'hasStarted' | 'forgetStart'>;
  readonly calls: Pick<CallStore, 'findQueued' | 'findOutcome' | 'removeQueued'>;
  /** Counts the bodies of the calls that it ends. */
  readonly bodies: ByteBudget;
  /** Must return deliveries without recording a hand-over: here it naks timers, not calls. */
  readonly settler: Pick<Settler, 'end' | 'resume'>;
  readonly flows: Pick<Flows, 'removed'>;
  readonly logger: Logger;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** A call found in its queue, and when. */
type SeenCall = Pick<DeliveredCall, 'call' | 'seenAt'>;

/** Wait before a timer comes back after an error, or for a call that may still be on its way into its queue. */
const retryDelayMs = 1_000;
/** How often a started call is looked for: once it is gone, its start claim can be removed. */
const startedMs = 60_000;
/** If this many checks, over a minute, find no trace of a call, the call does not exist. */
const enoughLooks = 7;

/**
 * Ends calls that have expired, wherever they wait: behind a paused or busy function, or for a time that is too late.
 * Expiry timers come from the broker past the lanes, so they need no slot.
 */
export class ExpiryProcessor {
  readonly #options: ExpiryProcessorOptions;

  constructor(options: ExpiryProcessorOptions) {
    this.#options = options;
  }

  /** Ends the call of the timer if it has not started in time, and settles the delivery. Throws `QueueError`. */
  async process(delivery: ExpiryDelivery, timer: ExpiryTimer): Promise<void> {
    const { calls, expiries, logger } = this.#options;
    const seenAt = performance.now();
    const call = await calls.findQueued(timer);
    if (call === undefined || (call.generation ?? 0) !== timer.generation) {
      await this.#followGone(delivery, timer, call);
      return;
    }
    const claim =
      call.startedAt === undefined
        ? await expiries.claim(timer, timer.expiresAt, 'expired')
        : ({ kind: 'decided', decision: 'started', byUs: false } as const);
    if (claim.kind === 'refused') {
      logger.warn({ callId: call.id, detail: claim.detail }, 'expired call could not be ended yet');
      delivery.nak(retryDelayMs);
    } else if (claim.decision === 'started') {
      delivery.nak(startedMs);
    } else if (!claim.byUs && delivery.deliveries === 1) {
      delivery.nak(otherWorkerMs);
    } else {
      await this.#expireCounted(delivery, timer, { call, seenAt });
    }
  }

  async #expireCounted(delivery: ExpiryDelivery, timer: ExpiryTimer, seen: SeenCall): Promise<void> {
    const { call } = seen;
    const body = this.#options.bodies.open(ownerOf(call));
    try {
      if (body.reserve(call.body.length)) {
        await this.#expire(delivery, timer, seen, this.#options.now());
      } else {
        delivery.nak(retryDelayMs);
      }
    } finally {
      body.release();
    }
  }

  /**
   * The call has ended, was never stored, is on its way, or is not known yet to the server that was asked.
   * @param queued a replay of it
   */
  async #followGone(delivery: ExpiryDelivery, timer: ExpiryTimer, queued: Call | undefined): Promise<void> {
    const { calls, expiries, now } = this.#options;
    if (now() < timer.storedBy) {
      delivery.nak(retryDelayMs);
      return;
    }
    const ended = await calls.findOutcome(timer);
    if (ended === undefined && !(await this.#wasNeverStored(delivery, timer))) {
      delivery.nak(Math.min(startedMs, retryDelayMs * 2 ** (delivery.deliveries - 1)));
      return;
    }
    await this.#repeatEndOfTurn(ended?.outcome, queued);
    await expiries.forgetStart(timer);
    delivery.ack();
  }

  /** The process that has ended the call may have died after it had removed it. A replay that has its turn keeps it. */
  async #repeatEndOfTurn(ended: Outcome | undefined, queued: Call | undefined): Promise<void> {
    const mayBeLeft = ended?.status === 'expired' && (queued === undefined || needsTurn(queued));
    if (mayBeLeft && ended.flowKey !== undefined) {
      const { callId: id, flowKey: key, ...of } = ended;
      await endTurn(this.#options.flows, { ...of, id, flow: { key } });
    }
  }

  /**
   * Only the end of a call proves that it is gone. A server that does not know the call proves nothing: it may be
   * behind the others, even if it leads the stream. A call that has started and has no end is checked until that start
   * is forgotten, after 30 days.
   */
  async #wasNeverStored({ deliveries }: ExpiryDelivery, timer: ExpiryTimer): Promise<boolean> {
    return deliveries >= enoughLooks && !(await this.#options.expiries.hasStarted(timer));
  }

  async #expire(delivery: ExpiryDelivery, timer: ExpiryTimer, seen: SeenCall, now: number): Promise<void> {
    const { calls, settler, logger } = this.#options;
    const { callId, function: name, queue } = timer;
    const delivered = this.#hold(delivery, timer, seen);
    const ended = await calls.findOutcome(timer);
    if (ended !== undefined) {
      await settler.resume(delivered, ended);
      return;
    }
    logger.info({ callId, function: name, queue, lateMs: now - timer.expiresAt }, 'call has expired');
    const rest = await settler.end(delivered, expiredEnd(seen.call));
    if (rest === undefined) {
      delivery.nak(otherWorkerMs);
    } else {
      await rest();
    }
  }

  /**
   * The call in the form in which a worker settles one. Its message is still in the queue; the delivery is the timer's.
   */
  #hold(delivery: ExpiryDelivery, timer: ExpiryTimer, { call, seenAt }: SeenCall): DeliveredCall {
    const { callId, function: name, queue } = timer;
    const remove = async (): Promise<void> => {
      await this.#options.calls.removeQueued(timer);
      await endTurn(this.#options.flows, call);
    };
    const failed = (err: QueueError): void => {
      this.#options.logger.warn({ err, callId }, 'expired call could not be taken out of its queue yet');
      delivery.nak(retryDelayMs);
    };
    return {
      call,
      seenAt,
      delivery: {
        ...identityIn(timer),
        function: name,
        queue,
        ack: () => void remove().then(() => delivery.ack(), failed),
        nak: (delayMs) => delivery.nak(delayMs),
        dropBody: () => {}, // only `call` has it
      },
    };
  }
}
