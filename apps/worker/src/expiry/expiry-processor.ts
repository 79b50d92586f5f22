import { type ExpiryTimer, identityIn, type QueueError } from '@asyncfn/queue-core';
import type { CallStore, ExpiryDelivery, ExpirySource, ExpiryStore } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { type ByteBudget, ownerOf } from '../memory/index.ts';
import { LeaseRenewer } from '../running/index.ts';
import { type DeliveredCall, expiredEnd, otherWorkerMs, type Settler } from '../settle/index.ts';

export interface ExpiryProcessorOptions {
  readonly source: Pick<ExpirySource, 'fetch'>;
  readonly expiries: Pick<ExpiryStore, 'claim' | 'forgetStart'>;
  readonly calls: Pick<CallStore, 'findQueued' | 'findOutcome' | 'removeQueued'>;
  /** Counts the bodies of the calls that are ended. */
  readonly bodies: ByteBudget;
  /** One that gives calls back without noting a hand-over: what is given back here is a word, not a delivery. */
  readonly settler: Pick<Settler, 'end' | 'resume'>;
  readonly logger: Logger;
  /** Lease of a word in milliseconds. */
  readonly ackWaitMs: number;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** A call that was found in its queue, and when that was looked for. */
type SeenCall = Pick<DeliveredCall, 'call' | 'seenAt'>;

/** Words in hand at once. */
const maxUnderWay = 64;
/** When the broker is asked again after a trouble, or for a call that may still be on its way into its queue. */
const retryDelayMs = 1_000;
/** How often a call that has started is looked for: once it is gone, nothing need be remembered of it. */
const startedMs = 60_000;

/**
 * Ends calls that have expired, wherever they wait: behind a function that is paused or busy, or for a time that comes
 * too late. The word of the moment comes from the broker past the lanes, so it needs no slot.
 */
export class ExpiryProcessor {
  readonly #options: ExpiryProcessorOptions;
  readonly #leases: LeaseRenewer<ExpiryDelivery>;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: ExpiryProcessorOptions) {
    this.#options = options;
    this.#leases = new LeaseRenewer(options.ackWaitMs);
  }

  /** Ends what has expired until the signal aborts. Never rejects. */
  async run(signal: AbortSignal, ready: () => boolean, wait: (ms: number) => Promise<unknown>): Promise<void> {
    while (!signal.aborted) {
      const free = maxUnderWay - this.#underWay.size;
      if (!ready() || free === 0) {
        await wait(100);
        continue;
      }
      try {
        await this.#options.source.fetch(free, (delivery) => this.take(delivery), signal);
      } catch (err) {
        this.#options.logger.warn({ err }, 'expired calls cannot be fetched yet');
        await wait(retryDelayMs);
      }
    }
  }

  /** Resolves when no word is in hand. */
  async whenIdle(): Promise<void> {
    await Promise.all(this.#underWay);
    this.#leases.stop();
  }

  take(delivery: ExpiryDelivery): void {
    this.#leases.keep(delivery);
    const work = this.#follow(delivery)
      .catch((err: unknown) => {
        this.#options.logger.warn({ err, callId: delivery.timer?.callId }, 'expired call could not be ended yet');
        delivery.nak(retryDelayMs);
      })
      .finally(() => {
        this.#leases.release(delivery);
        this.#underWay.delete(work);
      });
    this.#underWay.add(work);
  }

  async #follow(delivery: ExpiryDelivery): Promise<void> {
    const { calls, expiries, logger } = this.#options;
    const { timer } = delivery;
    if (timer === undefined) {
      logger.error({}, 'word of an expired call cannot be read and is dropped');
      delivery.ack();
      return;
    }
    const seenAt = performance.now();
    const call = await calls.findQueued(timer);
    if (call === undefined || (call.generation ?? 0) !== timer.generation) {
      await this.#followGone(delivery, timer);
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

  /** The call has ended, was taken out of its queue, or was never stored; or it is on its way there. */
  async #followGone(delivery: ExpiryDelivery, timer: ExpiryTimer): Promise<void> {
    if (this.#options.now() < timer.storedBy) {
      delivery.nak(retryDelayMs);
      return;
    }
    await this.#options.expiries.forgetStart(timer);
    delivery.ack();
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

  /** The call as a worker holds one, but for its message: that is in its queue, and the word is in our hands. */
  #hold(delivery: ExpiryDelivery, timer: ExpiryTimer, { call, seenAt }: SeenCall): DeliveredCall {
    const { callId, function: name, queue } = timer;
    const remove = (): Promise<void> => this.#options.calls.removeQueued(timer);
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
        dropBody: () => {}, // `call` alone has it
      },
    };
  }
}
