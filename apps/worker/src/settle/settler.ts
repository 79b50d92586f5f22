import {
  type Call,
  type CallIdentity,
  callHeader,
  type DeadLetterReason,
  emptyBody,
  encodeEnvelope,
  endToEndHeaders,
  identityIn,
  identityOf,
  keyOf,
  type Outcome,
  type PublishResult,
  QueueError,
  refused,
  withStorableHeaders,
} from '@asyncfn/queue-core';
import { type CallStore, type Delivery, isFresh, type StoredOutcome } from '@asyncfn/queue-core/jetstream';
import { type Logger, traceIdFrom } from '@asyncfn/service-kit';
import type { Tracer } from '@opentelemetry/api';
import { type CallbackDeliverer, toCallbackTask } from '../callbacks/index.ts';
import type { AttemptResult } from '../invoke/index.ts';
import type { CallBytes } from '../memory/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import {
  mayPass,
  type OnSettleStep,
  type Original,
  type PublishRetryOptions,
  publishWithRetry,
  storeDeadLetter,
} from '../storing/index.ts';
import { retryOf, toReason } from './recorded-end.ts';

export interface SettlerOptions {
  readonly store: CallStore;
  readonly callbacks: CallbackDeliverer;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  /** Undefined while there are no traces. */
  readonly tracer?: Tracer | undefined;
  readonly publishRetry: PublishRetryOptions;
  readonly onStep: OnSettleStep;
  /** Returns a call to the queue, noting that no crash has ended its delivery. */
  readonly handBack: (delivery: SettleableDelivery, delayMs?: number) => Promise<void>;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Monotonic clock in milliseconds. Default: that of the process. */
  readonly monotonicNow?: () => number;
}

/** How a call ended. */
export interface End {
  readonly status: 'succeeded' | 'failed' | 'expired';
  readonly reason?: DeadLetterReason | undefined;
  readonly maxRetries: number;
  /** Of the last attempt; undefined for a call that was not attempted. */
  readonly result?: AttemptResult | undefined;
}

/** The end of a call that was not started in time. */
export function expiredEnd(call: Call): End {
  return { status: 'expired', reason: 'expired', maxRetries: call.maxRetries ?? 0 };
}

/** What the end of a call needs of the message that brought it. */
export type SettleableDelivery = Pick<
  Delivery,
  keyof CallIdentity | 'function' | 'queue' | 'ack' | 'nak' | 'dropBody'
> &
  Partial<Pick<Delivery, 'info'>>;

/** A call in hand, with the delivery that brought it. */
export interface DeliveredCall<D extends SettleableDelivery = SettleableDelivery> {
  readonly delivery: D;
  readonly call: Call;
  /** No worker can have had it before. Default: one may have. */
  readonly isFirst?: boolean;
  /** Released early where bytes are not held any more, or counted elsewhere. */
  readonly bytes?: CallBytes | undefined;
  /** Whether its function has a cap: then others wait until this call has left the queue. */
  readonly capped?: boolean;
  /** When it was seen that it has no end, and that its message is in the queue: on the monotonic clock. */
  readonly seenAt: number;
}

/** Wait before a call comes back whose settling the broker could not write down. */
const fullMs = 5_000;

/** A function's cookies are between it and whoever calls it, which is us. */
const notKept: ReadonlySet<string> = new Set(['set-cookie', 'set-cookie2']);

/**
 * Carries out on JetStream what follows an attempt. The outcome is recorded first and once: it is the end of the call
 * (P2). What comes after it, the dead letter and the callback, is done again from that record if a crash comes between,
 * without invoking the function. The delivery is acknowledged last.
 */
export class Settler {
  readonly #options: SettlerOptions;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /**
   * Stores the next attempt and lets go of this one. Returns false, with nothing done, if no message of the broker holds it:
   * then there is no next attempt.
   */
  retry({ delivery, call }: DeliveredCall<Delivery>, delayMs: number): Promise<boolean> {
    return this.postpone({ delivery, call: { ...call, retry: call.retry + 1 } }, delayMs);
  }

  /** The call has not been attempted: another worker may take it, at once or after the delay. */
  handBack({ delivery }: Pick<DeliveredCall, 'delivery'>, delayMs?: number): Promise<void> {
    return this.#options.handBack(delivery, delayMs);
  }

  /** Stores the call as it is by now, to come back after the delay, and lets go of the delivery. Returns as `retry` does. */
  async postpone(
    { delivery, call: next }: Pick<DeliveredCall<Delivery>, 'delivery' | 'call'>,
    delayMs: number,
  ): Promise<boolean> {
    const { store, metrics, logger, now } = this.#options;
    const dueAt = now() + delayMs;
    const result = await publishWithRetry(() => store.scheduleRetry(delivery, next, dueAt), this.#options.publishRetry);
    const isConflict = result.kind === 'refused' && result.reason === 'conflict';
    if (isConflict && !(await this.#isHistory(next))) {
      // Nothing that we know of is in its way, so nothing is given up for it: its lease runs out.
      logger.error({ callId: next.id, detail: result.detail }, 'retry is refused, and not there: the call comes back');
      return true;
    }
    if (result.kind === 'stored' || isConflict) {
      this.#options.onStep('retry stored', next.id);
      this.#ack(delivery);
      return true;
    }
    if (result.reason === 'too_large') {
      logger.error(
        { callId: next.id, function: next.function, detail: result.detail },
        'retry is too large to be stored',
      );
      return false;
    }
    metrics.retryDeferred(delivery);
    logger.error(
      { callId: next.id, function: next.function, reason: result.reason, detail: result.detail, delayMs },
      'retry could not be stored, the call goes back to the queue with a delay',
    );
    await this.#options.handBack(delivery, Math.max(delayMs, fullMs));
    return true;
  }

  /**
   * Records the end. Returns what is left to do after that, or undefined where nothing is: nobody waits for a callback, the
   * call had ended before, or the worker stops before the broker has answered, and the call goes back with its lease.
   */
  async end(delivered: DeliveredCall, end: End): Promise<(() => Promise<void>) | undefined> {
    const outcome = this.#toOutcome(delivered, end);
    const body = end.result?.body ?? emptyBody;
    const result = await this.#record(delivered, outcome, body);
    if (result.kind === 'refused' && result.reason === 'conflict' && !(await this.#isOurs(outcome))) {
      // Another attempt has ended this call, and completes it: whoever acknowledged here would take that from it.
      this.#options.logger.warn({ callId: outcome.callId }, 'call has ended before, this attempt does not count');
      return undefined;
    }
    if (result.kind === 'refused' && mayPass(result.reason) && this.#options.publishRetry.signal.aborted) {
      // There was no time to find out whether the broker would take it: another worker has that time.
      this.#options.logger.warn({ callId: outcome.callId, detail: result.detail }, 'end not recorded before the stop');
      return undefined;
    }
    if (result.kind === 'refused' && result.reason !== 'conflict') {
      // Not recording it is the smaller loss: the call is settled all the same.
      this.#options.logger.error({ callId: outcome.callId, detail: result.detail }, 'outcome could not be recorded');
      return () => this.#completeUnrecorded(delivered, { outcome, body });
    }
    this.#options.onStep('outcome stored', outcome.callId);
    this.#options.metrics.ended(delivered.delivery, outcome.status);
    if (outcome.status === 'succeeded' && delivered.call.callbackUrl === undefined) {
      this.#ack(delivered.delivery); // nothing is left to do, and nothing to wait for
      return undefined;
    }
    return async () => {
      await this.#complete(delivered, { outcome, body });
    };
  }

  /** Does again what was left to do when a crash came after the end of a call was recorded. */
  async resume(delivered: DeliveredCall, ended: StoredOutcome): Promise<void> {
    const callback = await this.#options.store.findCallbackState(ended.outcome);
    // The delivery in hand may be of an attempt before the last one.
    const call = { ...delivered.call, retry: retryOf(ended.outcome) };
    await this.#complete({ ...delivered, call }, ended, callback !== undefined);
  }

  /** Ends a message that cannot be read as a call: whole among the dead letters, for a person to look at. */
  async deadLetterUndecodable(delivery: Delivery, header: string, body: Uint8Array): Promise<void> {
    const { function: name, queue, info } = delivery;
    const createdAt = info.storedAtMs;
    const letter = { ...identityIn(delivery), generation: 0, function: name, queue, attempts: 0, createdAt };
    const original = { header: callHeader, value: header, body };
    if (await this.#putDeadLetter(letter, 'undecodable', original)) {
      delivery.term('undecodable');
    } else {
      await this.#options.handBack(delivery, fullMs);
    }
  }

  /** Without a record, the call has ended only once it is out of the queue: if it goes back, all is done again. */
  async #completeUnrecorded(delivered: DeliveredCall, ended: StoredOutcome): Promise<void> {
    if (await this.#complete(delivered, ended)) {
      this.#options.metrics.outcomeLost(delivered.delivery);
      this.#options.metrics.ended(delivered.delivery, ended.outcome.status);
    }
  }

  /** Returns whether all has been done, and the call is out of the queue. */
  async #complete(
    delivered: DeliveredCall,
    { outcome, body }: StoredOutcome,
    callbackIsKnown = false,
  ): Promise<boolean> {
    const { delivery } = delivered;
    if (outcome.status === 'cancelled') {
      // Whoever cancelled it knows: no dead letter, no callback.
      this.#ack(delivery);
      return true;
    }
    const isKept = outcome.status === 'succeeded' || (await this.#storeDeadLetter(delivered, outcome));
    dropBody(delivered);
    if (isKept && (callbackIsKnown || (await this.#callBack(delivered, outcome, body)))) {
      this.#ack(delivery);
      return true;
    }
    await this.#options.handBack(delivery, fullMs);
    return false;
  }

  async #callBack({ call, capped, bytes }: DeliveredCall, outcome: Outcome, body: Uint8Array): Promise<boolean> {
    const { headers, durationMs = 0, maxRetries } = outcome;
    // Who never answered was not to be reached, or had no time to.
    const { functionStatus: status = outcome.status === 'expired' ? 504 : 503 } = outcome;
    const task = toCallbackTask(call, { status, headers, durationMs }, maxRetries);
    if (task === undefined) {
      return true;
    }
    return this.#options.callbacks[capped === true ? 'defer' : 'deliver'](task, body, bytes?.result);
  }

  async #storeDeadLetter({ call }: DeliveredCall, outcome: Outcome): Promise<boolean> {
    const createdAt = Math.floor(Number(call.startTime) / 1e6);
    const original = { header: callHeader, value: encodeEnvelope(call), body: call.body };
    const traceId = this.#options.tracer && traceIdFrom(call.headers);
    const letter = { ...outcome, createdAt, traceId };
    const stored = await this.#putDeadLetter(letter, toReason(outcome.reason), original, outcome.functionStatus);
    if (stored) {
      this.#options.onStep('dead letter stored', call.id);
    }
    return stored;
  }

  async #putDeadLetter(
    of: CallIdentity & {
      generation: number;
      function: string;
      queue: string;
      attempts: number;
      createdAt: number;
      traceId?: string | undefined;
    },
    reason: DeadLetterReason,
    original: Original,
    lastStatus?: number,
  ): Promise<boolean> {
    const { store, now, metrics, logger } = this.#options;
    const { callId, generation, function: name, queue, attempts, createdAt } = of;
    const letter = {
      v: 1 as const,
      kind: 'call' as const,
      ...identityIn(of),
      generation,
      function: name,
      queue,
      reason,
      ...(lastStatus !== undefined && { lastStatus }),
      attempts,
      createdAt,
      endedAt: now(),
    };
    const { result, letter: kept } = await storeDeadLetter(store, letter, original, this.#options.publishRetry);
    if (result.kind === 'refused') {
      logger.error({ callId, reason, detail: result.detail }, 'dead letter could not be stored, the call stays queued');
      return false;
    }
    metrics.deadLetter(of, reason);
    const told = { callId, traceId: of.traceId, function: name, queue, reason, lastStatus, attempts };
    logger.warn({ ...told, omitted: kept.omitted }, 'call failed');
    return true;
  }

  async #record(delivered: DeliveredCall, outcome: Outcome, body: Uint8Array): Promise<PublishResult> {
    const { store, publishRetry: options } = this.#options;
    const record = this.#storable(outcome);
    const put = (of: Outcome, its: Uint8Array): Promise<PublishResult> =>
      publishWithRetry(() => this.#ifOurs(delivered, () => store.recordOutcome(of, its)), options);
    const result = await put(record, body);
    const tooLarge = result.kind === 'refused' && result.reason === 'too_large';
    return tooLarge ? await put({ ...record, bodyOmitted: 'too_large' }, emptyBody) : result;
  }

  /**
   * Whoever records an end has seen lately that the call has none, and after that, that its message is there: otherwise it may
   * have ended elsewhere so long ago that its end is forgotten, and nothing would keep out a second one (ADR 38).
   */
  async #ifOurs(delivered: DeliveredCall, store: () => Promise<PublishResult>): Promise<PublishResult> {
    const now = this.#options.monotonicNow ?? performance.now.bind(performance);
    for (let seenAt = delivered.seenAt; !isFresh(seenAt, now()); ) {
      seenAt = now();
      try {
        if (!(await this.#isStillOurs(delivered))) {
          return refused('conflict', 'the call has ended elsewhere');
        }
      } catch (error) {
        if (!(error instanceof QueueError)) {
          throw error;
        }
        return refused('unavailable', error.message);
      }
    }
    return store();
  }

  async #isStillOurs({ delivery, call }: DeliveredCall): Promise<boolean> {
    const { store } = this.#options;
    const { info } = delivery;
    return (
      info !== undefined &&
      (await store.findOutcome(keyOf(call))) === undefined &&
      (await store.isThere({ ...delivery, info }))
    );
  }

  #storable(outcome: Outcome): Outcome {
    const record = withStorableHeaders(outcome);
    if (record !== outcome) {
      const { callId, function: name, queue } = outcome;
      const omitted = outcome.headers.length - record.headers.length;
      this.#options.logger.warn(
        { callId, function: name, queue, omitted },
        'headers of a response are too large to be stored and are left out',
      );
    }
    return record;
  }

  /** Whether the call has got as far as this, or has ended: by somebody else, or by us with an answer that got lost. */
  async #isHistory(next: Call): Promise<boolean> {
    const { store } = this.#options;
    const { queue, function: name, generation = 0 } = next;
    const queued = await store.findQueued({ ...identityOf(next), queue, function: name });
    const isFurther = queued !== undefined && (queued.generation ?? 0) >= generation && queued.retry >= next.retry;
    return isFurther || (await store.findOutcome(keyOf(next))) !== undefined;
  }

  /**
   * Whether the recorded end is the one that we have sent: its confirmation may have got lost. Another one, a cancel or that
   * of a second worker, may be of the same millisecond.
   */
  async #isOurs(outcome: Outcome): Promise<boolean> {
    const { status, endedAt, attempts, durationMs } = outcome;
    const found = (await this.#options.store.findOutcome(outcome))?.outcome;
    return (
      found !== undefined &&
      found.status === status &&
      found.endedAt === endedAt &&
      found.attempts === attempts &&
      found.durationMs === durationMs
    );
  }

  #toOutcome({ call }: DeliveredCall, { status, reason, maxRetries, result }: End): Outcome {
    return {
      v: 1,
      ...keyOf(call),
      function: call.function,
      queue: call.queue,
      status,
      ...(reason !== undefined && { reason }),
      ...(result !== undefined && { functionStatus: result.status, durationMs: result.durationMs }),
      attempts: result === undefined ? call.retry : call.retry + 1,
      maxRetries,
      ...(call.startedAt !== undefined && { startedAt: call.startedAt }),
      endedAt: this.#options.now(),
      headers: endToEndHeaders(result?.headers ?? [], notKept) as Outcome['headers'],
      ...(call.callbackUrl !== undefined && { callbackUrl: call.callbackUrl }),
      ...(call.parentId !== undefined && { parentId: call.parentId }),
    };
  }

  /** Acknowledges a call that has ended, and that nothing is left to do for. */
  ack(delivery: SettleableDelivery): void {
    this.#ack(delivery);
  }

  #ack(delivery: SettleableDelivery): void {
    delivery.ack();
    this.#options.metrics.processed(delivery.queue);
    this.#options.onStep('call acknowledged', delivery.callId);
  }
}

/** Nobody needs the body of a call that has ended and is buried: a callback may be under way for long. */
function dropBody({ delivery, call, bytes }: DeliveredCall): void {
  delivery.dropBody();
  Object.assign(call, { body: emptyBody });
  bytes?.body.release();
}
