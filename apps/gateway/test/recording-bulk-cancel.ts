import type { CallFilter } from '@asyncfn/queue-core';
import type { CancelResult, LivingCall } from '@asyncfn/queue-core/jetstream';
import type { BulkCancelOptions } from '../src/bulk-cancel/index.ts';

/** Living calls that a test sets, and a canceller that remembers what it was asked. */
export class RecordingBulkCancel {
  parts: LivingCall[][] = [];
  readonly filters: CallFilter[] = [];
  /** The way of cancelling and the id. */
  readonly asked: string[] = [];
  /** By the id; undefined if a waiting call has changed its state, or is left alone because it runs. */
  answer: (callId: string, how: string) => CancelResult | undefined = (callId) => cancelled(callId);
  /** Called before each part is read. */
  beforePart: () => unknown = () => undefined;

  get dependencies(): Pick<BulkCancelOptions, 'living' | 'canceller'> {
    const ask = async (how: string, callId: string) => {
      this.asked.push(`${how} ${callId}`);
      return this.answer(callId, how);
    };
    return {
      living: { each: (filter) => this.#each(filter) },
      canceller: {
        cancel: async ({ callId }) => (await ask('cancel', callId)) ?? { kind: 'unknown' },
        cancelWaiting: ({ call }) => ask('waiting', call.id),
        cancelUnlessRunning: ({ callId }) => ask('unless running', callId),
      },
    };
  }

  async *#each(filter: CallFilter): AsyncGenerator<LivingCall[], void, void> {
    this.filters.push(filter);
    for (const part of this.parts) {
      await this.beforePart();
      yield part;
    }
  }
}

function cancelled(callId: string): CancelResult {
  const key = { callId, startTime: '1700000000000000000', generation: 0 };
  const how = { status: 'cancelled', attempts: 0, maxRetries: 0, endedAt: 0, headers: [] } as const;
  const outcome = { v: 1, ...key, function: 'echo', queue: 'default', ...how, headers: [] } as const;
  return { kind: 'cancelled', call: { kind: 'ended', outcome: { ...outcome, headers: [] }, callback: undefined } };
}
