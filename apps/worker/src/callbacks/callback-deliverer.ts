import {
  type CallbackTask,
  callbackTaskCodec,
  identityIn,
  type PublishResult,
  type RefusalReason,
  withStorableHeaders,
} from '@asyncfn/queue-core';
import type { CallbackDelivery, CallbackSource, CallbackStore, CallStore } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { type ByteBudget, type ByteShare, isReserved, ownerOf } from '../memory/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import type { LeaseRenewer } from '../running/index.ts';
import { type OnSettleStep, type PublishRetryOptions, publishWithRetry, storeDeadLetter } from '../storing/index.ts';
import { CallbackRecords } from './callback-records.ts';
import type { CallbackSender } from './callback-sender.ts';
import type { AdmittedCallback, Receivers } from './receivers.ts';
import type { SentCallback } from './sent-callback.ts';

export interface CallbackDelivererOptions {
  readonly sender: CallbackSender;
  readonly receivers: Receivers;
  /** Of the results that are being sent or wait for a slot. */
  readonly budget: ByteBudget;
  readonly store: CallbackStore;
  readonly calls: CallStore;
  readonly source: CallbackSource;
  /** Those of stored callbacks. */
  readonly leases: LeaseRenewer<CallbackDelivery>;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  readonly publishRetry: PublishRetryOptions;
  readonly onStep: OnSettleStep;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  /** Cuts deliveries short that are under way. */
  readonly signal: AbortSignal;
}

/**
 * How long a callback may wait for a slot. A receiver that is well has one within that time; for one that is not, the broker
 * is the place to wait.
 */
const slotWaitMs = 2_000;
/** A stored callback that could not be settled comes back after this. */
const againMs = 1_000;
/** One that there is no room for comes back later each time, up to this. */
const longestBusyMs = 15_000;
/** Pause after callbacks that found no slot: without it, all that wait there would be sent round and round. */
const crowdedMs = 100;
/** Stored callbacks in hand, with those that wait for a slot. */
const maxInFlight = 1_000;

/**
 * Brings results to their receivers. The first delivery follows the function's answer at once; a callback that cannot
 * be delivered then is stored, and is from then on work of its own, apart from its call (P6).
 */
export class CallbackDeliverer {
  readonly #options: CallbackDelivererOptions;
  readonly #records: CallbackRecords;
  readonly #underWay = new Set<Promise<void>>();
  /** Whether stored callbacks had to be given back since they were last fetched. */
  #crowded = false;

  constructor(options: CallbackDelivererOptions) {
    this.#options = options;
    this.#records = new CallbackRecords(options);
  }

  /**
   * The first delivery. Returns whether the callback is taken care of: delivered, ended by its receiver, or stored.
   * If not, nothing but the call itself still knows of it. Never rejects.
   * @param counted has counted the body so far, and is released as soon as that is done here
   */
  async deliver(task: CallbackTask, body: Uint8Array, counted?: ByteShare): Promise<boolean> {
    const share = this.#options.budget.open(ownerOf(task));
    try {
      const kept = share.reserve(bytesOf(task, body)) ? 'send' : await this.#keepUnsent(task, body, share);
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

  /**
   * Has the broker keep a callback that there is no room for. One that is too large for the broker may wait a little for room:
   * there is nowhere else for it.
   */
  async #keepUnsent(task: CallbackTask, body: Uint8Array, share: ByteShare): Promise<boolean | 'send'> {
    const tried = await this.#store(task, body, { dueAt: this.#options.now(), after: 0 });
    if (tried.result.kind === 'stored' || tried.result.reason !== 'too_large') {
      return this.#afterStore(task, body, tried);
    }
    const patience = { waitMs: slotWaitMs, signal: this.#options.signal };
    const hasRoom = await isReserved(share, bytesOf(task, body), patience);
    return hasRoom ? 'send' : this.#afterStore(task, body, tried);
  }

  /**
   * As `first`, for a call whose place in the queue others wait for: the callback is stored before it is tried, so that
   * a slow receiver does not keep that place. What cannot be stored is delivered as ever.
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
    // Its state is recorded once it has been tried: by now another worker may have delivered it.
    onStep('callback stored', task.callId);
    return true;
  }

  /** Delivers stored callbacks until the signal aborts. Never rejects. */
  async runStored(signal: AbortSignal, ready: () => boolean, wait: (ms: number) => Promise<unknown>): Promise<void> {
    const { receivers, source, logger } = this.#options;
    while (!signal.aborted) {
      const room = Math.min(receivers.free, maxInFlight - this.#underWay.size);
      if (!ready() || room <= 0 || this.#crowded) {
        this.#crowded = false;
        await wait(crowdedMs);
        continue;
      }
      try {
        await source.fetch(room, (delivery) => this.#take(delivery), signal);
      } catch (err) {
        logger.warn({ err }, 'stored callbacks cannot be fetched yet');
        await wait(1_000);
      }
    }
  }

  /** Resolves when no stored callback is in hand. */
  async whenIdle(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  #take(delivery: CallbackDelivery): void {
    this.#options.leases.keep(delivery);
    const work = this.#deliverStored(delivery)
      .catch((err: unknown) => {
        // Its lease runs out, and it is delivered again.
        this.#options.logger.error({ err, callId: delivery.task?.callId }, 'stored callback could not be processed');
      })
      .finally(() => {
        this.#options.leases.release(delivery);
        this.#underWay.delete(work);
      });
    this.#underWay.add(work);
  }

  async #deliverStored(delivery: CallbackDelivery): Promise<void> {
    const { task, streamSequence } = delivery;
    const { receivers, signal, logger } = this.#options;
    if (task === undefined) {
      logger.error({ streamSequence }, 'stored callback cannot be read and is dropped');
      delivery.ack();
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

  /** Its body comes from the broker now that its turn has come, and only if there is room for it. */
  async #sendStored(
    delivery: CallbackDelivery,
    task: CallbackTask,
    share: ByteShare,
    admitted: AdmittedCallback,
  ): Promise<TriedCallback> {
    const read = share.reserve(delivery.bodyBytes) ? await this.#readBody(delivery, task) : notNow;
    if (read.kind !== 'body') {
      admitted.release();
      return read;
    }
    return { kind: 'sent', body: read.body, sent: await this.#send(task, read.body, admitted) };
  }

  async #readBody(delivery: CallbackDelivery, task: CallbackTask): Promise<ReadBody> {
    try {
      const body = await delivery.readBody();
      // Perhaps the broker that was asked does not know it yet. If it is gone, it does not come back.
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

  /** Carries out what follows a delivery; returns whether the callback is taken care of. */
  async #follow(task: CallbackTask, body: Uint8Array, sent: SentCallback | undefined, after: number): Promise<boolean> {
    const tried = { ...task, tries: task.tries + 1 };
    if (sent === undefined) {
      // Cut short by a stop: as if it had not been tried.
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
    // Read first: whatever is recorded after the callback is stored is news of its next delivery.
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
   * Whether somebody, or we ourselves with a confirmation that got lost, have got as far with this callback as we have
   * now. That the broker speaks of a conflict is not enough: what is taken for stored and is not would be lost (P6).
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
      logger.warn({ err, callId: task.callId }, 'it cannot be seen whether a callback is stored');
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

/** When a callback is due, and the message that it follows; 0: none. */
interface StoredAt {
  readonly dueAt: number;
  readonly after: number;
}

/** What the broker says to a callback, and what was known of it before. */
interface StoreTry {
  readonly result: PublishResult;
  readonly known: Awaited<ReturnType<CallbackRecords['find']>>;
}

/** There is no room for the body of a stored callback, or the broker does not give it out. */
interface NotNow {
  readonly kind: 'not_now';
}

type ReadBody = NotNow | { readonly kind: 'body'; readonly body: Uint8Array };

/** What became of a stored callback whose turn had come. */
type TriedCallback =
  | NotNow
  | { readonly kind: 'sent'; readonly body: Uint8Array; readonly sent: SentCallback | undefined };

const notNow: NotNow = { kind: 'not_now' };

function bytesOf({ headers }: CallbackTask, body: Uint8Array): number {
  return headers.reduce((sum, [name, value]) => sum + name.length + value.length, body.length);
}
