import {
  type CallbackTask,
  callbackTaskCodec,
  identityIn,
  type PublishResult,
  type RefusalReason,
  withStorableHeaders,
} from '@asyncfn/queue-core';
import {
  type CallbackDelivery,
  type CallbackStore,
  type CallStore,
  type EventPublisher,
  readBytes,
} from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { HandOn } from '../chain/index.ts';
import { type ByteBudget, type ByteShare, isReserved, ownerOf } from '../memory/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { type OnSettleStep, type PublishRetryOptions, publishWithRetry, storeDeadLetter } from '../storing/index.ts';
import { CallbackRecords } from './callback-records.ts';
import type { CallbackSender } from './callback-sender.ts';
import type { AdmittedCallback, Receivers } from './receivers.ts';
import type { SentCallback } from './sent-callback.ts';

export interface CallbackDelivererOptions {
  readonly sender: CallbackSender;
  readonly receivers: Receivers;
  /** Counts the results that are being sent or wait for a slot. */
  readonly budget: ByteBudget;
  readonly store: CallbackStore;
  readonly handOn: Pick<HandOn, 'deliver'>;
  readonly calls: CallStore;
  readonly metrics: WorkerMetrics;
  readonly events: Pick<EventPublisher, 'callback'>;
  readonly logger: Logger;
  readonly publishRetry: PublishRetryOptions;
  readonly onStep: OnSettleStep;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Aborts deliveries that are under way. */
  readonly signal: AbortSignal;
}

/**
 * How long a callback may wait for a slot. A healthy receiver has one within that time; callbacks for the others wait
 * at the broker.
 */
const slotWaitMs = 2_000;
/** A stored callback that could not be settled comes back after this. */
const againMs = 1_000;
/** A stored callback without room comes back later each time, at most after this. */
const longestBusyMs = 15_000;
/** Most stored callbacks in flight, including those that wait for a slot. */
const maxInFlight = 1_000;

/**
 * Delivers results to their receivers. The first delivery follows the function's response at once; if it fails, the
 * callback is stored and from then on retried independently of its call (P6).
 */
export class CallbackDeliverer {
  readonly #options: CallbackDelivererOptions;
  readonly #records: CallbackRecords;
  /** Whether stored callbacks had to be nak'ed since the last look for room. */
  #crowded = false;

  constructor(options: CallbackDelivererOptions) {
    this.#options = options;
    this.#records = new CallbackRecords(options);
  }

  /**
   * Makes the first delivery. Returns whether the callback is handled: delivered, ended by its receiver, or stored. If
   * not, only the call's own message still leads to it. Never rejects.
   * @param counted counts the body until it is counted here, then it is released
   */
  async deliver(task: CallbackTask, body: Uint8Array, counted?: ByteShare): Promise<boolean> {
    const share = this.#options.budget.open(ownerOf(task));
    try {
      const kept = share.reserve(bytesOf(task, body.length)) ? 'send' : await this.#keepUnsent(task, body, share);
      if (kept !== 'send') {
        return kept;
      }
      counted?.release();
      return await this.#sendFirst(task, body);
    } finally {
      share.release();
    }
  }

  async #sendFirst(task: CallbackTask, body: Uint8Array): Promise<boolean> {
    const { receivers, signal, now } = this.#options;
    const admission = await receivers.admit(task, slotWaitMs, signal);
    if (admission.kind === 'later') {
      return this.#keep(task, body, { dueAt: now() + admission.delayMs, after: 0 });
    }
    return this.#follow(task, body, await this.#send(task, body, admission), 0);
  }

  /** Stores a callback that has no room here. One that is too large for the broker waits a little for room instead. */
  async #keepUnsent(task: CallbackTask, body: Uint8Array, share: ByteShare): Promise<boolean | 'send'> {
    const tried = await this.#store(task, body, { dueAt: this.#options.now(), after: 0 });
    if (tried.result.kind === 'stored' || tried.result.reason !== 'too_large') {
      return this.#afterStore(task, body, tried);
    }
    const patience = { waitMs: slotWaitMs, signal: this.#options.signal };
    const hasRoom = await isReserved(share, bytesOf(task, body.length), patience);
    return hasRoom ? 'send' : this.#afterStore(task, body, tried);
  }

  /**
   * As `deliver`, for a call of a function with a cap: the callback is stored before it is tried, so that a slow
   * receiver does not keep the call's place under the cap. If it cannot be stored, it is delivered at once.
   */
  async defer(task: CallbackTask, body: Uint8Array, counted?: ByteShare): Promise<boolean> {
    const { store, onStep } = this.#options;
    const result = await publishWithRetry(
      () => store.storeReady(withStorableHeaders(task), body),
      this.#options.publishRetry,
    );
    if (result.kind === 'refused' && !(await this.#isTakenCareOf(task, result.reason))) {
      return this.deliver(task, body, counted);
    }
    // Its state is recorded once it has been tried: another worker may already have delivered it.
    onStep('callback stored', task.callId);
    return true;
  }

  /** How many more stored callbacks may be taken now. None after some that found no slot: they would come back at once. */
  roomForStored(inFlight: number): number {
    const wasCrowded = this.#crowded;
    this.#crowded = false;
    return wasCrowded ? 0 : Math.min(this.#options.receivers.free, maxInFlight - inFlight);
  }

  /** Delivers a stored callback, and settles its delivery. */
  async deliverStored(delivery: CallbackDelivery, task: CallbackTask): Promise<void> {
    const { receivers, signal } = this.#options;
    if (task.nextCall !== undefined) {
      await this.#options.handOn.deliver(delivery, task);
      return;
    }
    const admission = await receivers.admit(task, slotWaitMs, signal);
    if (admission.kind === 'later') {
      this.#nakLater(delivery, admission.delayMs);
      return;
    }
    const share = this.#options.budget.open(ownerOf(task));
    try {
      await this.#settle(delivery, task, await this.#sendStored(delivery, task, share, admission));
    } finally {
      share.release();
    }
  }

  /** Reads the body from the broker only now that it has a slot, and only if it has room. */
  async #sendStored(
    delivery: CallbackDelivery,
    task: CallbackTask,
    share: ByteShare,
    admitted: AdmittedCallback,
  ): Promise<TriedCallback> {
    const read = share.reserve(bytesOf(task, delivery.bodyBytes)) ? await this.#readBody(delivery, task) : notNow;
    if (read.kind !== 'body') {
      admitted.release();
      return read;
    }
    return { kind: 'sent', body: read.body, sent: await this.#send(task, read.body, admitted) };
  }

  async #readBody(delivery: CallbackDelivery, task: CallbackTask): Promise<ReadBody> {
    try {
      const body = await delivery.readBody();
      // The server that answered may not know it yet. If it is gone, it does not come back.
      return body === undefined ? notNow : { kind: 'body', body };
    } catch (err) {
      this.#options.logger.warn({ err, callId: task.callId }, 'body of a stored callback cannot be read yet');
      return notNow;
    }
  }

  async #settle(delivery: CallbackDelivery, task: CallbackTask, tried: TriedCallback): Promise<void> {
    if (tried.kind === 'not_now') {
      this.#nakLater(delivery, Math.min(longestBusyMs, againMs * delivery.deliveries));
    } else if (await this.#follow(task, tried.body, tried.sent, delivery.streamSequence)) {
      delivery.ack();
    } else {
      delivery.nak(againMs);
    }
  }

  #nakLater(delivery: CallbackDelivery, delayMs: number): void {
    this.#crowded = true;
    delivery.nak(delayMs);
  }

  async #send(task: CallbackTask, body: Uint8Array, { begin }: AdmittedCallback): Promise<SentCallback | undefined> {
    let sent: SentCallback | undefined;
    const done = begin();
    try {
      sent = await this.#options.sender.send(task, body, this.#options.signal);
    } finally {
      done(sent?.answered === true);
    }
    this.#options.onStep('callback sent', task.callId);
    return sent;
  }

  /** Carries out what follows a delivery; returns whether the callback is handled. */
  async #follow(task: CallbackTask, body: Uint8Array, sent: SentCallback | undefined, after: number): Promise<boolean> {
    const tried = { ...task, tries: task.tries + 1 };
    if (sent === undefined) {
      // A stop has cut it short: it counts as not tried.
      return after === 0 ? this.#keep(task, body, { dueAt: this.#options.now(), after }) : false;
    }
    switch (sent.verdict.kind) {
      case 'delivered':
        await this.#records.delivered(tried);
        return true;
      case 'gone':
        await this.#records.failed(tried);
        return true;
      case 'retry':
        return this.#keep(tried, body, { dueAt: this.#options.now() + sent.verdict.delayMs, after });
      case 'undeliverable':
        return this.#giveUp(tried, body, sent.status);
    }
  }

  async #keep(task: CallbackTask, body: Uint8Array, at: StoredAt): Promise<boolean> {
    return this.#afterStore(task, body, await this.#store(task, body, at));
  }

  async #store(task: CallbackTask, body: Uint8Array, { dueAt, after }: StoredAt): Promise<StoreTry> {
    const { store, publishRetry: options } = this.#options;
    // Read before storing: a record that appears after the callback is stored is of its next delivery.
    const known = await this.#records.find(task);
    return {
      known,
      result: await publishWithRetry(() => store.store(withStorableHeaders(task), body, dueAt, after), options),
    };
  }

  async #afterStore(task: CallbackTask, body: Uint8Array, { result, known }: StoreTry): Promise<boolean> {
    const { logger } = this.#options;
    if (result.kind === 'refused' && result.reason === 'too_large') {
      logger.error({ callId: task.callId, bytes: body.length }, 'callback is too large to be stored by the broker');
      return this.#giveUp(task, body, undefined);
    }
    if (result.kind === 'refused' && !(await this.#isTakenCareOf(task, result.reason))) {
      logger.error({ callId: task.callId, detail: result.detail }, 'callback could not be stored');
      return false;
    }
    this.#options.onStep('callback stored', task.callId);
    if (result.kind === 'stored' && known !== undefined) {
      await this.#records.pending(task, known);
    }
    return true;
  }

  /**
   * Whether another worker, or this one with a lost confirmation, has already stored the callback as it is now. A
   * conflict alone does not prove it: a callback that is wrongly assumed to be stored would be lost (P6).
   */
  async #isTakenCareOf(task: CallbackTask, reason: RefusalReason): Promise<boolean> {
    const { store, calls, logger } = this.#options;
    if (reason !== 'conflict') {
      return false;
    }
    try {
      const kept = await store.find(task);
      if (kept !== undefined) {
        return kept.tries >= task.tries;
      }
      const state = await calls.findCallbackState(task);
      return state !== undefined && state.status !== 'pending';
    } catch (err) {
      logger.warn({ err, callId: task.callId }, 'it cannot be determined whether a callback is stored');
      return false;
    }
  }

  async #giveUp(task: CallbackTask, body: Uint8Array, lastStatus: number | undefined): Promise<boolean> {
    const { calls, now, metrics, logger } = this.#options;
    const letter = {
      v: 1 as const,
      kind: 'callback' as const,
      ...identityIn(task),
      generation: task.generation,
      function: task.function,
      queue: task.queue,
      reason: 'callback_undeliverable' as const,
      ...(lastStatus !== undefined && { lastStatus }),
      attempts: task.tries,
      ...(task.labels !== undefined && { labels: task.labels }),
      createdAt: Math.floor(Number(task.startTime) / 1e6),
      endedAt: now(),
    };
    const original = {
      header: callbackTaskCodec.header,
      value: callbackTaskCodec.encode(withStorableHeaders(task)),
      body,
    };
    const { result } = await storeDeadLetter(calls, letter, original, this.#options.publishRetry);
    if (result.kind === 'refused') {
      logger.error({ callId: task.callId, detail: result.detail }, 'dead letter could not be stored');
      return false;
    }
    metrics.deadLetter(letter, letter.reason);
    await this.#records.failed(task);
    return true;
  }
}

/** When a callback is due, and the sequence of the message that it replaces; 0 for none. */
interface StoredAt {
  readonly dueAt: number;
  readonly after: number;
}

/** The broker's answer to a stored callback, and the record read before. */
interface StoreTry {
  readonly result: PublishResult;
  readonly known: Awaited<ReturnType<CallbackRecords['find']>>;
}

/** The worker has no room for the body of a stored callback, or the broker does not return it. */
interface NotNow {
  readonly kind: 'not_now';
}

type ReadBody = NotNow | { readonly kind: 'body'; readonly body: Uint8Array };

/** The result of trying a stored callback. */
type TriedCallback =
  | NotNow
  | { readonly kind: 'sent'; readonly body: Uint8Array; readonly sent: SentCallback | undefined };

const notNow: NotNow = { kind: 'not_now' };

/** Of a body that is stored apart, only what is being sent is in memory. */
function bytesOf({ headers, bodyObject }: CallbackTask, bodyBytes: number): number {
  const body = bodyObject === undefined ? bodyBytes : readBytes;
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length, body);
}
