import { type BatchItem, type BatchState, createCallId, type HeaderList } from '@asyncfn/queue-core';
import { type Refusal, refusal } from '../problem.ts';
import type { BatchOptions } from './batch-options.ts';
import { demandStored, insist, putUntilDecided } from './intake/index.ts';

/** What a request says about its batch before its first item. */
export interface BatchRequest {
  readonly submitter: string | undefined;
  readonly ownSecret: boolean;
  readonly key: string | undefined;
  readonly callbackUrl: string | undefined;
  readonly failureCallbackUrl: string | undefined;
  /** For the receiver of its callback. */
  readonly callbackHeaders: HeaderList;
  readonly chainDepth: number;
}

/** A batch to be filled, or one that was accepted before. */
export type OpenedBatch =
  | {
      readonly kind: 'opened';
      readonly state: BatchState;
      readonly sequence: number;
      /** An earlier request may have stored some of its calls. */
      readonly resumed: boolean;
    }
  | { readonly kind: 'known'; readonly state: BatchState };

/** A batch whose state is this old is no longer being accepted: its gateway renews it six times as often. */
const staleMs = 60_000;

const beingAccepted = refusal('overloaded', 'Another request with the same Idempotency-Key is being accepted.', {
  'Retry-After': '5',
});

/** Begins a batch, or continues the one of its key. Throws `QueueError` and `RefusalError`. */
export async function openBatch(options: BatchOptions, request: BatchRequest): Promise<OpenedBatch | Refusal> {
  const state = toState(options, request, createCallId());
  const { submitter, key } = request;
  if (key === undefined) {
    return await begin(options, state, 0, false);
  }
  const stored = await putUntilDecided(() => options.batches.putKey(state, key));
  if (stored.kind === 'refused' && stored.reason === 'conflict') {
    const batchId = await options.batches.findKey(submitter, key);
    return batchId === undefined ? beingAccepted : await goOn(options, { ...state, batchId });
  }
  demandStored(stored);
  return await begin(options, state, 0, false);
}

async function goOn(options: BatchOptions, state: BatchState): Promise<OpenedBatch | Refusal> {
  const found = await options.batches.findState(state);
  if (found === undefined) {
    return await begin(options, state, 0, true);
  }
  const { phase, startTime, createdAt } = found.state;
  if (phase === 'sealed') {
    return { kind: 'known', state: found.state };
  }
  const isUnderWay = phase === 'accepting' && options.now() - found.storedAtMs < staleMs;
  return isUnderWay ? beingAccepted : await begin(options, { ...state, startTime, createdAt }, found.sequence, true);
}

async function begin({ batches }: BatchOptions, begun: BatchState, after: number, resumed: boolean) {
  const state: BatchState = resumed ? { ...begun, resumed } : begun;
  const { sequence } = await insist(() => batches.putState(state, after));
  return { kind: 'opened' as const, state, sequence, resumed };
}

function toState(
  { now, startTime, idempotencyWindowMs }: BatchOptions,
  request: BatchRequest,
  batchId: string,
): BatchState {
  const { submitter, ownSecret, key, callbackUrl, failureCallbackUrl, callbackHeaders, chainDepth } = request;
  const createdAt = now();
  return {
    v: 1,
    batchId,
    ...(submitter !== undefined && { submitter }),
    phase: 'accepting',
    startTime: startTime(),
    createdAt,
    parts: 0,
    total: 0,
    refused: 0,
    ...(callbackUrl !== undefined && { callbackUrl }),
    ...(failureCallbackUrl !== undefined && { failureCallbackUrl }),
    ...(callbackHeaders.length > 0 && { callbackHeaders: callbackHeaders.map(([name, value]) => [name, value]) }),
    ...(chainDepth > 0 && { chainDepth }),
    ...(ownSecret && { ownSecret }),
    ...(key !== undefined && { keptUntil: createdAt + idempotencyWindowMs }),
  };
}

/** All items of a batch that was accepted. Throws `QueueError`. */
export async function readAllItems(
  { batches }: Pick<BatchOptions, 'batches'>,
  state: BatchState,
): Promise<BatchItem[]> {
  const items: BatchItem[] = [];
  for (let part = 0; part < state.parts; part++) {
    items.push(...((await batches.readItems(state, part)) ?? []));
  }
  return items;
}
