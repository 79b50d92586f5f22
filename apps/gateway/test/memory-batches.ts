import type { BatchItem, BatchState, PublishResult } from '@asyncfn/queue-core';
import type { AppDependencies } from '../src/app.ts';
import type { BatchOptions } from '../src/batches/index.ts';

const stored: PublishResult = { kind: 'stored', sequence: 1, duplicate: false };

/** Batches in memory. Outcomes are not kept. */
export class MemoryBatches {
  readonly states = new Map<string, BatchState>();
  readonly items = new Map<string, readonly BatchItem[]>();
  readonly keys = new Map<string, string>();

  readonly batches: AppDependencies['batches']['batches'] = {
    putState: async (state) => {
      this.states.set(state.batchId, state);
      return stored;
    },
    findState: async ({ batchId }) => {
      const state = this.states.get(batchId);
      return state && { state, sequence: 1, storedAtMs: Date.now() };
    },
    putItems: async ({ batchId }, part, items) => {
      this.items.set(`${batchId}/${part}`, items);
      return stored;
    },
    readItems: async ({ batchId }, part) => [...(this.items.get(`${batchId}/${part}`) ?? [])],
    putKey: async ({ batchId }, key) => {
      if (this.keys.has(key)) {
        return { kind: 'refused', reason: 'conflict', detail: 'the key is known' };
      }
      this.keys.set(key, batchId);
      return stored;
    },
    findKey: async (_, key) => this.keys.get(key),
    findAnyState: async () => undefined,
    findEnd: async () => undefined,
    countEnds: async () => ({ succeeded: 0, failed: 0, cancelled: 0, expired: 0 }),
    listEnds: async () => new Map(),
  };

  readonly store: BatchOptions['store'] = { recordOutcome: async () => stored };
}
