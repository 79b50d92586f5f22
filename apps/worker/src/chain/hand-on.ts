import {
  bodyLengthOf,
  bodyOwnerOf,
  type Call,
  type CallbackTask,
  decodeCall,
  emptyBody,
  encodeEnvelope,
  keyOf,
  type NextCall,
  nextCallOf,
  type Outcome,
  QueueError,
  refused,
  toNextCall,
  withStorableHeaders,
} from '@asyncfn/queue-core';
import type { FunctionRegister } from '@asyncfn/queue-core/functions';
import type {
  BodyStore,
  CallbackDelivery,
  CallbackStore,
  CallStore,
  EventPublisher,
  StepQueue,
  StepResult,
} from '@asyncfn/queue-core/jetstream';
import { toCancelled } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { type ByteBudget, ownerOf } from '../memory/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { type OnSettleStep, type PublishRetryOptions, publishWithRetry } from '../storing/index.ts';

export interface HandOnOptions {
  readonly steps: Pick<StepQueue, 'store'>;
  /** Says of a large result that the step has it. */
  readonly bodies: Pick<BodyStore, 'handOver'>;
  /** Keeps the steps that cannot be stored now. */
  readonly store: Pick<CallbackStore, 'store' | 'find'>;
  readonly calls: Pick<CallStore, 'recordOutcome'>;
  readonly register: Pick<FunctionRegister, 'lookup'>;
  /** Counts the results that wait. */
  readonly budget: ByteBudget;
  readonly metrics: Pick<WorkerMetrics, 'chainStep'>;
  readonly events: Pick<EventPublisher, 'accepted'>;
  readonly logger: Logger;
  readonly publishRetry: PublishRetryOptions;
  readonly onStep: OnSettleStep;
  /** Unix time in milliseconds. */
  readonly now: () => number;
  readonly random: () => number;
}

/** Waits before a step that its queue did not store is retried: the first, and the longest. */
const firstWaitMs = 5_000;
const longestWaitMs = 60_000;
/** A waiting step whose body cannot be read now comes back after this. */
const againMs = 1_000;

/**
 * Stores the call that follows in a chain, once the call before it has ended. If its queue does not take it now, the
 * hand-on becomes a message in `CALLBACKS` and is tried again from there, however long that takes: the call before has
 * its end and leaves its queue.
 */
export class HandOn {
  readonly #options: HandOnOptions;

  constructor(options: HandOnOptions) {
    this.#options = options;
  }

  /** The call that follows when this one succeeds; undefined for none. */
  nextOf(call: Call): NextCall | undefined {
    return call.steps && nextCallOf(call, (name) => this.#options.register.lookup(name)?.queue);
  }

  /** Hands the result on. Returns whether that is done, or kept for later. Never rejects for expected failures. */
  async handOn(call: Call, outcome: Outcome, next: NextCall, body: Uint8Array): Promise<boolean> {
    const nextCall = withStorableHeaders(toNextCall(call, outcome, next, body));
    const result = await this.#store(nextCall);
    this.#report(nextCall, result);
    switch (result.kind) {
      case 'stored':
      case 'known':
        this.#options.onStep('step stored', call.id);
        return true;
      case 'cancelled':
        return this.#recordCancelled(nextCall);
      case 'refused':
        return this.#keep(toTask(call, outcome, nextCall), body, 0);
    }
  }

  /** Tries a step again that its queue did not take. */
  async deliver(delivery: CallbackDelivery, task: CallbackTask): Promise<void> {
    const share = this.#options.budget.open(ownerOf(task));
    try {
      const body = share.reserve(delivery.bodyBytes) ? await delivery.readBody() : undefined;
      if (body === undefined) {
        delivery.nak(againMs);
      } else {
        await this.#deliver(delivery, task, body);
      }
    } finally {
      share.release();
    }
  }

  async #deliver(delivery: CallbackDelivery, task: CallbackTask, body: Uint8Array): Promise<void> {
    const decoded = decodeCall(task.nextCall ?? '', body);
    if (decoded.kind === 'undecodable') {
      this.#options.logger.error({ callId: task.callId, problem: decoded.problem }, 'step of a chain cannot be read');
      delivery.ack();
      return;
    }
    const { call } = decoded;
    const result = await this.#store(call);
    this.#report(call, result);
    const isDone =
      result.kind === 'refused'
        ? await this.#keep({ ...task, tries: task.tries + 1 }, body, delivery.streamSequence)
        : result.kind !== 'cancelled' || (await this.#recordCancelled(call));
    if (isDone) {
      delivery.ack();
    } else {
      delivery.nak(againMs);
    }
  }

  /** A large result belongs to the step before it is stored. One that is gone is found missing when the step runs. */
  async #store(call: Call): Promise<StepResult> {
    try {
      if (call.bodyObject !== undefined) {
        await this.#options.bodies.handOver(call.bodyObject, bodyOwnerOf(call));
      }
    } catch (error) {
      if (!(error instanceof QueueError)) {
        throw error;
      }
      return refused('unavailable', error.message);
    }
    return this.#options.steps.store(call);
  }

  /** @param after the sequence of the message that this one replaces; 0 for none */
  async #keep(task: CallbackTask, body: Uint8Array, after: number): Promise<boolean> {
    const { store, publishRetry, now, random, onStep } = this.#options;
    const waitMs = Math.min(longestWaitMs, firstWaitMs * 2 ** task.tries) * (0.8 + 0.4 * random());
    const dueAt = now() + Math.round(waitMs);
    const result = await publishWithRetry(() => store.store(task, body, dueAt, after), publishRetry);
    if (result.kind === 'stored') {
      onStep('callback stored', task.callId);
      return true;
    }
    // Another worker may keep it already. If not, the call before comes back, and its hand-on is repeated.
    return result.reason === 'conflict' && after === 0 && (await store.find(task).catch(() => undefined)) !== undefined;
  }

  /** A gateway has cancelled the step before it was stored, and may have died before it recorded that. */
  async #recordCancelled(call: Call): Promise<boolean> {
    const { calls, publishRetry, now } = this.#options;
    const outcome = toCancelled(call, { now: now(), held: undefined, maxRetries: 0 });
    const result = await publishWithRetry(() => calls.recordOutcome(outcome, emptyBody), publishRetry);
    return result.kind === 'stored' || result.reason === 'conflict';
  }

  #report(call: Call, result: StepResult): void {
    const { metrics, events, logger } = this.#options;
    const { id: callId, parentId, rootId, function: name, queue } = call;
    const fields = { callId, parentId, rootId, function: name, queue, bytes: bodyLengthOf(call) };
    metrics.chainStep({ queue, function: name }, result.kind === 'refused' ? 'waiting' : result.kind);
    if (result.kind === 'refused') {
      const { reason, detail } = result;
      logger.warn({ ...fields, reason, detail }, 'step of a chain cannot be stored yet, and waits');
    } else if (result.kind === 'stored') {
      events.accepted(call);
      logger.info(fields, 'step of a chain accepted');
    }
  }
}

function toTask(call: Call, outcome: Outcome, nextCall: Call): CallbackTask {
  const { functionStatus = 200, durationMs = 0, maxRetries } = outcome;
  return {
    v: 1,
    ...keyOf(call),
    function: call.function,
    queue: call.queue,
    url: '',
    functionStatus,
    durationMs,
    retry: call.retry,
    maxRetries,
    headers: [],
    ...(call.labels !== undefined && { labels: call.labels }),
    nextCall: encodeEnvelope(nextCall),
    ...(nextCall.bodyObject !== undefined && { bodyObject: nextCall.bodyObject }),
    tries: 0,
  };
}
