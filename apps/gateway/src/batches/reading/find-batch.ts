import {
  type BatchItem,
  type BatchState,
  type BatchView,
  isCallId,
  itemsOfPart,
  toBatchView,
} from '@asyncfn/queue-core';
import { type Caller, coversFunction, hasScope } from '@asyncfn/tokens';
import { type Refusal, refusal } from '../../problem.ts';
import type { ReadingOptions } from './reading-options.ts';

export const notFound: Refusal = refusal(
  'batch_not_found',
  'No batch with this id is known, or it ended too long ago.',
);

const forbidden: Refusal = refusal('forbidden', 'Only the token that has sent the batch, and admin, may cancel it.');

/** An accepted item and its place in the batch. */
export interface IndexedItem {
  readonly index: number;
  readonly item: Exclude<BatchItem, { problem: unknown }>;
}

/**
 * The batch that a caller means by an id: its own, or another one that it may see. A batch that it may not know of does not exist
 * for it. Throws `QueueError`.
 */
export async function findBatch(
  options: ReadingOptions,
  caller: Caller,
  batchId: string,
  deed: 'read' | 'cancel',
): Promise<{ readonly kind: 'found'; readonly state: BatchState } | Refusal> {
  const { batches } = options;
  const own = { batchId, submitter: caller.name };
  const found = isCallId(batchId)
    ? ((await batches.findState(own)) ??
      (hasScope(caller, 'read') ? await batches.findAnyState(batchId, own) : undefined))
    : undefined;
  if (found?.state.phase !== 'sealed') {
    return notFound;
  }
  const { state } = found;
  const isTheirs = caller.scopes.has('admin') || (caller.name !== undefined && caller.name === state.submitter);
  if (isTheirs) {
    return { kind: 'found', state };
  }
  if (!hasScope(caller, 'read') || !(await coversAll(options, caller, state))) {
    return notFound;
  }
  return deed === 'read' ? { kind: 'found', state } : forbidden;
}

/** Whether a token is for all functions of a batch. */
async function coversAll(options: ReadingOptions, caller: Caller, state: BatchState): Promise<boolean> {
  for await (const { item } of acceptedItems(options, state, 0)) {
    if (!coversFunction(caller, item.function, options.names)) {
      return false;
    }
  }
  return true;
}

/** The accepted items from an index on, in order. Throws `QueueError`. */
export async function* acceptedItems(
  { batches }: Pick<ReadingOptions, 'batches'>,
  state: BatchState,
  from: number,
): AsyncGenerator<IndexedItem, void, void> {
  for (let part = Math.floor(from / itemsOfPart); part < state.parts; part++) {
    for (const [at, item] of ((await batches.readItems(state, part)) ?? []).entries()) {
      const index = part * itemsOfPart + at;
      if (index >= from && !('problem' in item)) {
        yield { index, item };
      }
    }
  }
}

/** Throws `QueueError`. */
export async function readView({ batches }: Pick<ReadingOptions, 'batches'>, state: BatchState): Promise<BatchView> {
  const end = await batches.findEnd(state);
  return end === undefined ? toBatchView(state, await batches.countEnds(state)) : toBatchView(state, end, end);
}
