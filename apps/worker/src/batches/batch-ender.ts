import {
  type BatchCounts,
  type BatchEnd,
  type BatchKey,
  type BatchState,
  batchUrlOf,
  type CallbackTask,
  endedOf,
  ownerOf,
  QueueError,
  toBatchView,
} from '@asyncfn/queue-core';
import type {
  BatchDelivery,
  BatchNotice,
  BatchStore,
  CallStore,
  LostEnds,
  StoredBatch,
} from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { CallbackDeliverer } from '../callbacks/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { type PublishRetryOptions, publishWithRetry } from '../storing/index.ts';
import { GatheredRuns } from './gathered-runs.ts';

export interface BatchEnderOptions {
  readonly batches: Pick<
    BatchStore,
    'findState' | 'putState' | 'findEnd' | 'countEnds' | 'countEndsAtLeader' | 'recordEnd'
  >;
  readonly calls: Pick<CallStore, 'findCallbackState'>;
  readonly lost: Pick<LostEnds, 'restore'>;
  readonly deliverer: Pick<CallbackDeliverer, 'defer'>;
  readonly metrics: Pick<WorkerMetrics, 'batchEnded'>;
  readonly logger: Logger;
  readonly publishRetry: PublishRetryOptions;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/**
 * `settled`: nothing is left to do, or it is not sealed yet. `told elsewhere`: another worker has stored the end, and
 * stores the callback, unless it dies.
 */
type Finding =
  | { readonly kind: 'settled' }
  | { readonly kind: 'open'; readonly state: BatchState }
  | { readonly kind: 'told elsewhere'; readonly state: BatchState; readonly end: BatchEnd };

/** Marks that come within this time are counted together. */
const gatherMs = 100;
/** Another worker tells the end within this time, or has died. */
const otherWorkerMs = 1_000;
/** How often an open batch is searched for calls whose end was lost. */
const roundMs = 30_000;
/** A replica that is behind may hide this many ends: then the leader is asked. */
const nearEnd = 1_000;

const settled: Finding = { kind: 'settled' };

/**
 * Ends batches. A notice tells that a call of a batch has ended, or that the batch is sealed: the worker that gets the
 * last notice sees as many marks as calls, and stores the end, which is stored once (ADR 51). It acks the notice when
 * the end is told.
 */
export class BatchEnder {
  readonly #options: BatchEnderOptions;
  readonly #runs = new GatheredRuns<Finding>(gatherMs);

  constructor(options: BatchEnderOptions) {
    this.#options = options;
  }

  /** Ends the batch of the notice if it can, and settles the delivery. Throws `QueueError`. */
  async process(delivery: BatchDelivery, notice: BatchNotice): Promise<void> {
    const key = `${notice.batchId}.${ownerOf(notice.submitter)}`;
    const finding = await this.#runs.run(key, () => this.#find(notice));
    if (finding.kind === 'open' && notice.isState) {
      await this.#search(delivery, finding.state);
    } else if (finding.kind === 'told elsewhere' && delivery.deliveries === 1) {
      delivery.nak(otherWorkerMs);
    } else if (finding.kind === 'told elsewhere') {
      await this.#tell(finding.state, finding.end);
      delivery.ack();
    } else {
      delivery.ack();
    }
  }

  async #find(batch: BatchKey): Promise<Finding> {
    const { batches } = this.#options;
    const found = await batches.findState(batch);
    if (found === undefined || found.state.phase !== 'sealed' || found.state.ended) {
      return settled;
    }
    const { state } = found;
    const known = await batches.findEnd(batch);
    if (known !== undefined) {
      return { kind: 'told elsewhere', state, end: known };
    }
    const counts = await this.#count(state);
    return endedOf(counts) < state.total ? { kind: 'open', state } : await this.#end(found, counts);
  }

  async #count(state: BatchState): Promise<BatchCounts> {
    const { batches } = this.#options;
    const counts = await batches.countEnds(state);
    const missing = state.total - endedOf(counts);
    return missing > 0 && missing <= nearEnd ? ((await batches.countEndsAtLeader(state)) ?? counts) : counts;
  }

  async #end({ state, sequence }: StoredBatch, counts: BatchCounts): Promise<Finding> {
    const { batches, publishRetry, metrics, logger, now } = this.#options;
    const { batchId, submitter, total } = state;
    const end: BatchEnd = { v: 1, batchId, ...(submitter !== undefined && { submitter }), ...counts, endedAt: now() };
    const result = await publishWithRetry(() => batches.recordEnd(end), publishRetry);
    if (result.kind === 'refused' && result.reason === 'conflict') {
      const first = await batches.findEnd(state);
      return first === undefined ? settled : { kind: 'told elsewhere', state, end: first };
    }
    if (result.kind === 'refused') {
      throw new QueueError('broker', `the end of a batch cannot be stored: ${result.detail}`);
    }
    metrics.batchEnded(counts.succeeded === total ? 'succeeded' : 'mixed');
    logger.info({ batchId, total, ...counts }, 'batch has ended');
    await this.#tell(state, end);
    // Replaces the seal, which then does not come back. If this cannot be stored, the seal comes back, and is acked.
    await batches.putState({ ...state, ended: true }, sequence);
    return settled;
  }

  /** Stores the callback, unless it was stored before. */
  async #tell(state: BatchState, end: BatchEnd): Promise<void> {
    const { calls, deliverer } = this.#options;
    const url = batchUrlOf(state, end);
    if (url === undefined) {
      return;
    }
    const task = toTask(state, url);
    if ((await calls.findCallbackState(task)) !== undefined) {
      return;
    }
    const body = Buffer.from(JSON.stringify(toBatchView(state, end, end)));
    if (!(await deliverer.defer(task, body))) {
      throw new QueueError('broker', 'the callback of a batch cannot be stored');
    }
  }

  /** A round of an open batch. The seal is delivered until the batch has ended. */
  async #search(delivery: BatchDelivery, state: BatchState): Promise<void> {
    const restored = delivery.deliveries > 1 ? await this.#options.lost.restore(state) : 0;
    if (restored > 0) {
      this.#options.logger.warn({ batchId: state.batchId, calls: restored }, 'ends of calls of a batch were restored');
    }
    delivery.nak(roundMs);
  }
}

function toTask(state: BatchState, url: string): CallbackTask {
  const { batchId, submitter, startTime, ownSecret, chainDepth, callbackHeaders = [] } = state;
  return {
    v: 1,
    callId: batchId,
    ...(submitter !== undefined && { submitter }),
    startTime,
    generation: 0,
    batchId,
    // A batch has no function and no queue; these names are used in dead letters.
    function: 'batch',
    queue: 'batch',
    url,
    functionStatus: 200,
    durationMs: 0,
    retry: 0,
    maxRetries: 0,
    headers: [['Content-Type', 'application/json'], ...callbackHeaders],
    ...(ownSecret !== undefined && { ownSecret }),
    ...(chainDepth !== undefined && { chainDepth }),
    tries: 0,
  };
}
