import {
  type Call,
  type CallIdentity,
  callHeader,
  type DeadLetterReason,
  emptyBody,
  encodeEnvelope,
  identityIn,
  identityOf,
  keyOf,
  type Outcome,
  type PublishResult,
  QueueError,
  refused,
  withoutHistory,
  withStorableHeaders,
} from '@asyncfn/queue-core';
import {
  type BodyStore,
  type CallStore,
  type Delivery,
  type EventPublisher,
  isFresh,
  type StoredOutcome,
} from '@asyncfn/queue-core/jetstream';
import { traceIdFrom } from '@asyncfn/service-kit';
import type { Tracer } from '@opentelemetry/api';
import { type CallbackDeliverer, toCallbackTask } from '../callbacks/index.ts';
import type { HandOn } from '../chain/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import {
  isTooLarge,
  mayPass,
  type Original,
  type PublishRetryOptions,
  publishUntilDecided,
  publishWithRetry,
  storeDeadLetter,
} from '../storing/index.ts';
import type { DeliveredCall, End, SettleableDelivery } from './delivered-call.ts';
import { retryOf, toReason } from './recorded-end.ts';
import { dropBody, removeBody, removeUnusedReply } from './remove-body.ts';
import { toOutcome } from './to-outcome.ts';
import { fullMs, hasFollowUp, TurnEnder, type TurnOptions } from './turn-ender.ts';

export interface SettlerOptions extends TurnOptions {
  readonly store: CallStore;
  readonly bodies: Pick<BodyStore, 'removeOf' | 'removeUnused'>;
  readonly callbacks: CallbackDeliverer;
  readonly handOn: Pick<HandOn, 'nextOf' | 'handOn'>;
  readonly metrics: WorkerMetrics;
  readonly events: Pick<EventPublisher, 'ended'>;
  /** Undefined if tracing is off. */
  readonly tracer?: Tracer | undefined;
  readonly publishRetry: PublishRetryOptions;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Monotonic clock in milliseconds. Default: that of the process. */
  readonly monotonicNow?: () => number;
}

const now = performance.now.bind(performance);

/**
 * Stores what follows an attempt. The outcome is recorded first and once: it is the end of the call (P2). If the worker
 * crashes after that, another one repeats the dead letter and the callback from the record, without invoking the
 * function. The ack comes last.
 */
export class Settler {
  readonly #options: SettlerOptions;
  readonly #turns: TurnEnder;

  constructor(options: SettlerOptions) {
    this.#options = options;
    this.#turns = new TurnEnder(options);
  }

  /**
   * Stores the next attempt and acks this one. Returns false, and does nothing, if the call is too large to be stored
   * again: then no attempt follows.
   */
  retry({ delivery, call }: DeliveredCall<Delivery>, delayMs: number): Promise<boolean> {
    return this.postpone({ delivery, call: { ...call, retry: call.retry + 1 } }, delayMs);
  }

  /** Returns a call that was not attempted: another worker may take it, at once or after the delay. */
  handBack({ delivery }: Pick<DeliveredCall, 'delivery'>, delayMs?: number): Promise<void> {
    return this.#options.handBack(delivery, delayMs);
  }

  /** Stores the call as it is now, due after the delay, and acks the delivery. Returns as `retry` does. */
  async postpone(
    { delivery, call: next }: Pick<DeliveredCall<Delivery>, 'delivery' | 'call'>,
    delayMs: number,
  ): Promise<boolean> {
    const { store, metrics, logger, now } = this.#options;
    const dueAt = now() + delayMs;
    const put = (of: Call): Promise<PublishResult> =>
      publishWithRetry(() => store.scheduleRetry(delivery, of, dueAt), this.#options.publishRetry);
    const whole = await put(next);
    const result = isTooLarge(whole) && next.history !== undefined ? await put(withoutHistory(next)) : whole;
    const isConflict = result.kind === 'refused' && result.reason === 'conflict';
    if (isConflict && !(await this.#isHistory(next))) {
      // No known record conflicts with it, so the call is not acked: its lease runs out.
      logger.error(
        { callId: next.id, detail: result.detail },
        'retry conflicts with an unknown message: the call comes back',
      );
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
   * Records the outcome. Returns the follow-up, or undefined if none is left: the call has no callback, it had ended
   * before, or the worker stops before the broker has answered and the lease runs out.
   */
  async end(delivered: DeliveredCall, end: End): Promise<(() => Promise<void>) | undefined> {
    const { handOn, now } = this.#options;
    const next = end.status === 'succeeded' ? handOn.nextOf(delivered.call) : undefined;
    const outcome = toOutcome(delivered.call, end, next, now());
    const body = end.result?.body ?? emptyBody;
    const result = await this.#record(delivered, outcome, body);
    if (result.kind === 'refused' && result.reason === 'conflict' && !(await this.#isOurs(outcome))) {
      // Another attempt has ended this call and completes it: an ack here would take the message away from it.
      this.#options.logger.warn({ callId: outcome.callId }, 'call has ended before, this attempt does not count');
      removeUnusedReply(this.#options, outcome);
      return undefined;
    }
    if (result.kind === 'refused' && mayPass(result.reason)) {
      // The worker stops: another one has the time to wait for the broker.
      this.#options.logger.warn({ callId: outcome.callId, detail: result.detail }, 'end not recorded before the stop');
      return undefined;
    }
    if (result.kind === 'refused' && result.reason !== 'conflict') {
      // The broker is full. Losing the record is the smaller loss: the call is settled nevertheless.
      this.#options.logger.error({ callId: outcome.callId, detail: result.detail }, 'outcome could not be recorded');
      return () => this.#completeUnrecorded(delivered, { outcome, body });
    }
    this.#options.onStep('outcome stored', outcome.callId);
    this.#options.metrics.ended(delivered.delivery, outcome.status);
    if (!hasFollowUp(delivered.call, outcome)) {
      this.#ack(delivered.delivery); // nothing is left to do
      return delivered.call.bodyObject && (() => removeBody(this.#options, delivered.call, outcome));
    }
    const turn = this.#turns.end(delivered);
    await (this.#turns.arePilingUp && turn);
    return () => this.#completeRecorded(delivered, { outcome, body }, turn);
  }

  /** Repeats what follows a recorded outcome, after a crash. */
  async resume(delivered: DeliveredCall, ended: StoredOutcome): Promise<void> {
    const callback = await this.#options.store.findCallbackState(ended.outcome);
    // This delivery may be of an attempt before the last one.
    const call = { ...delivered.call, retry: retryOf(ended.outcome) };
    await this.#completeRecorded({ ...delivered, call }, ended, this.#turns.end(delivered), callback !== undefined);
  }

  /** Stores a message that cannot be read as a call among the dead letters, whole, for an operator to examine. */
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

  async #completeRecorded(
    delivered: DeliveredCall,
    ended: StoredOutcome,
    turn: Promise<boolean>,
    callbackIsKnown = false,
  ): Promise<void> {
    if ((await turn) && (await this.#complete(delivered, ended, callbackIsKnown))) {
      await removeBody(this.#options, delivered.call, ended.outcome);
    }
  }

  /** Without a record, the call has ended only once it has left the queue: if it goes back, everything is repeated. */
  async #completeUnrecorded(delivered: DeliveredCall, ended: StoredOutcome): Promise<void> {
    if ((await this.#turns.end(delivered)) && (await this.#complete(delivered, ended))) {
      this.#options.metrics.outcomeLost(delivered.delivery);
      this.#options.events.ended(ended.outcome);
      this.#options.metrics.ended(delivered.delivery, ended.outcome.status);
    }
  }

  /** What follows once the turn of the call has ended. Returns whether everything is done and the call has left the queue. */
  async #complete(
    delivered: DeliveredCall,
    { outcome, body }: StoredOutcome,
    callbackIsKnown = false,
  ): Promise<boolean> {
    const { delivery } = delivered;
    if (outcome.status === 'cancelled' || outcome.erased === true) {
      // Such a call gets no dead letter and no callback.
      this.#ack(delivery);
      return true;
    }
    const isKept = outcome.status === 'succeeded' || (await this.#storeDeadLetter(delivered, outcome));
    dropBody(delivered);
    if (isKept && (callbackIsKnown || (await this.#passOn(delivered, outcome, body)))) {
      this.#ack(delivery);
      return true;
    }
    await this.#options.handBack(delivery, fullMs);
    return false;
  }

  /** To the next step of its chain, or to the receiver of its callback. Returns whether that is done, or kept for later. */
  #passOn(delivered: DeliveredCall, outcome: Outcome, body: Uint8Array): Promise<boolean> {
    const { next } = outcome;
    return next === undefined
      ? this.#callBack(delivered, outcome, body)
      : this.#options.handOn.handOn(delivered.call, outcome, next, body);
  }

  async #callBack({ call, capped, bytes }: DeliveredCall, outcome: Outcome, body: Uint8Array): Promise<boolean> {
    const { headers, durationMs = 0, maxRetries } = outcome;
    // A function that never answered was unreachable, or had no time left.
    const { functionStatus: status = outcome.status === 'expired' ? 504 : 503 } = outcome;
    if (outcome.callbackUrl === undefined) {
      return true;
    }
    const { bodyObject } = outcome;
    const result = { status, headers, durationMs, ...(bodyObject && { object: bodyObject }) };
    const task = toCallbackTask(call, result, maxRetries, outcome.callbackUrl);
    return this.#options.callbacks[capped === true ? 'defer' : 'deliver'](task, body, bytes?.result);
  }

  async #storeDeadLetter({ call }: DeliveredCall, outcome: Outcome): Promise<boolean> {
    const createdAt = Math.floor(Number(call.startTime) / 1e6);
    const { history } = outcome;
    const bare = encodeEnvelope(withoutHistory(call));
    const value = history === undefined ? bare : encodeEnvelope({ ...call, history });
    const original = { header: callHeader, value, bare, body: call.body };
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
      labels?: string[] | undefined;
      traceId?: string | undefined;
    },
    reason: DeadLetterReason,
    original: Original,
    lastStatus?: number,
  ): Promise<boolean> {
    const { store, now, metrics, logger } = this.#options;
    const { callId, generation, function: name, queue, attempts, createdAt, labels } = of;
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
      ...(labels !== undefined && { labels }),
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

  /** Stores the record; the parts that are too large for the broker are left out. */
  async #record(delivered: DeliveredCall, outcome: Outcome, body: Uint8Array): Promise<PublishResult> {
    const record = this.#storable(outcome);
    const whole = await this.#put(delivered, record, body);
    if (!isTooLarge(whole)) {
      return whole;
    }
    const bare = withoutHistory(record);
    const result = record.history === undefined ? whole : await this.#put(delivered, bare, body);
    return isTooLarge(result) ? this.#put(delivered, { bodyOmitted: 'too_large', ...bare }, emptyBody) : result;
  }

  /**
   * Stores only if the call was recently seen to have no outcome and a message in its queue: otherwise it may have
   * ended elsewhere so long ago that the outcome is forgotten, and nothing would prevent a second one (ADR 38). Tries
   * until the broker decides, or the worker stops: without its outcome, an accepted call would be lost (P2).
   */
  #put(delivered: DeliveredCall, record: Outcome, body: Uint8Array): Promise<PublishResult> {
    const { store, publishRetry, logger, monotonicNow = now } = this.#options;
    const put = (): Promise<PublishResult> => store.recordOutcome(record, body);
    return publishUntilDecided(
      () => (isFresh(delivered.seenAt, monotonicNow()) ? put() : this.#ifStillOurs(delivered, put, monotonicNow)),
      publishRetry,
      (detail) => logger.warn({ callId: record.callId, detail }, 'outcome cannot be recorded yet'),
    );
  }

  async #ifStillOurs(
    delivered: DeliveredCall,
    put: () => Promise<PublishResult>,
    monotonicNow: () => number,
  ): Promise<PublishResult> {
    for (let seenAt = delivered.seenAt; !isFresh(seenAt, monotonicNow()); ) {
      seenAt = monotonicNow();
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
    return put();
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

  /**
   * Whether the call has already reached this attempt or ended: by another worker, or by us with a lost confirmation.
   */
  async #isHistory(next: Call): Promise<boolean> {
    const { store } = this.#options;
    const { queue, function: name, generation = 0 } = next;
    const queued = await store.findQueued({ ...identityOf(next), queue, function: name });
    const isFurther = queued !== undefined && (queued.generation ?? 0) >= generation && queued.retry >= next.retry;
    return isFurther || (await store.findOutcome(keyOf(next))) !== undefined;
  }

  /**
   * Whether the recorded outcome is the one that we have sent: its confirmation may have got lost. The outcome of a
   * cancel or of a second worker may be of the same millisecond.
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

  /** Acks a call that has ended and has no follow-up left. */
  ack(delivery: SettleableDelivery): void {
    this.#ack(delivery);
  }

  #ack(delivery: SettleableDelivery): void {
    delivery.ack();
    this.#options.metrics.processed(delivery.queue);
    this.#options.onStep('call acknowledged', delivery.callId);
  }
}
