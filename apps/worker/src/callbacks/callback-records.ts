import type { CallbackState, CallbackTask } from '@asyncfn/queue-core';
import type { CallbackRecord, CallStore, EventPublisher } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import { type PublishRetryOptions, publishWithRetry } from '../storing/index.ts';

export interface CallbackRecordsOptions {
  readonly calls: Pick<CallStore, 'findCallbackRecord' | 'recordCallbackState' | 'findOutcome'>;
  readonly events: Pick<EventPublisher, 'callback'>;
  readonly publishRetry: PublishRetryOptions;
  readonly logger: Logger;
}

/** Two workers rarely end one callback differently; more than two never do. */
const maxTries = 3;

/**
 * Records the state of callbacks, for callers to read. No callback depends on it: a record that the broker does not take
 * within `limitMs` is left out. A record never goes back to an earlier state: a worker that stood still, or has lost its
 * lease, may be late.
 */
export class CallbackRecords {
  readonly #options: CallbackRecordsOptions;

  constructor(options: CallbackRecordsOptions) {
    this.#options = options;
  }

  /** The record of the callback; undefined if it cannot be read. Never rejects. */
  async find(task: CallbackTask): Promise<CallbackRecord | undefined> {
    const { calls, logger } = this.#options;
    try {
      return await calls.findCallbackRecord(task);
    } catch (err) {
      logger.warn({ err, callId: task.callId }, 'state of a callback cannot be read, and is not recorded');
      return undefined;
    }
  }

  /** The receiver has it. This is final. */
  async delivered(task: CallbackTask): Promise<void> {
    await this.#record(task, 'delivered');
  }

  /** It waits for its next delivery. `known` was read before it was stored: a later record is of that delivery. */
  async pending(task: CallbackTask, known: CallbackRecord): Promise<void> {
    if (known.state?.status !== 'delivered') {
      await this.#record(task, 'pending', known.sequence);
    }
  }

  /** It is not retried, unless another worker has delivered it. */
  async failed(task: CallbackTask): Promise<void> {
    for (let tries = 0; tries < maxTries; tries++) {
      const known = await this.find(task);
      const isOver = known === undefined || known.state?.status === 'delivered';
      if (isOver || (await this.#record(task, 'failed', known.sequence))) {
        return;
      }
    }
  }

  /**
   * @param after sequence of the record that this one replaces. Default: any
   * @returns false if a newer record is in the way
   */
  async #record(task: CallbackTask, status: CallbackState['status'], after?: number): Promise<boolean> {
    const { callId, tries: attempts } = task;
    const state = { v: 1, status, attempts } as const;
    const { calls, publishRetry } = this.#options;
    const result = await publishWithRetry(() => calls.recordCallbackState(task, state, after), publishRetry);
    if (result.kind === 'stored') {
      this.#tell(task, state);
      return true;
    }
    if (result.reason !== 'conflict') {
      this.#options.logger.warn({ callId, status, detail: result.detail }, 'state of a callback could not be recorded');
    }
    return result.reason !== 'conflict';
  }

  /** Only what was tried is an event, and a batch is no call. */
  #tell(task: CallbackTask, state: CallbackState): void {
    const { calls, events } = this.#options;
    if (state.attempts > 0 && task.batchId === undefined) {
      events.callback(task, state, () => calls.findOutcome(task));
    }
  }
}
