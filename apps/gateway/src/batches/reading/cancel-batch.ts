import { setTimeout as sleep } from 'node:timers/promises';
import { type BatchState, type BatchView, forEachLimited, ownerOf } from '@asyncfn/queue-core';
import type { HoldBody } from '@asyncfn/queue-core/jetstream';
import { toQueueRefusal } from '../../enqueue/index.ts';
import { type Refusal, RefusalError, refusal } from '../../problem.ts';
import { acceptedItems, type IndexedItem, readView } from './find-batch.ts';
import type { ReadingOptions } from './reading-options.ts';

/** Calls that are cancelled at once. */
const maxConcurrent = 32;
/** The client is answered after this at the latest, in milliseconds. */
const answerMs = 5_000;

const alreadyEnded: Refusal = refusal('already_ended', 'The batch has ended: none of its calls is open.');

/**
 * Cancels the open calls of a batch, as single cancels do, and returns its state after that. If that takes long, it
 * continues after the answer, and the state shows which calls are still open. If the gateway dies in between, the
 * client repeats its request. Throws `QueueError` and `RefusalError`.
 */
export async function cancelBatch(
  options: ReadingOptions,
  state: BatchState,
  holdBody: HoldBody,
): Promise<BatchView | Refusal> {
  const before = await readView(options, state);
  if (before.endedAt !== undefined) {
    return { ...alreadyEnded, members: { batch: before } };
  }
  const cancelling = cancelAll(options, state, holdBody);
  const answered = new AbortController();
  const timeout = sleep(answerMs, 'timeout' as const, { signal: answered.signal }).catch(() => undefined);
  const first = await Promise.race([cancelling, timeout]).finally(() => answered.abort());
  if (first === 'timeout') {
    const { batchId } = state;
    cancelling.catch((err: unknown) =>
      options.logger.warn({ err, batchId }, 'batch could not be cancelled as a whole'),
    );
  }
  return await readView(options, state);
}

async function cancelAll(options: ReadingOptions, state: BatchState, holdBody: HoldBody): Promise<void> {
  const ended = await options.batches.listEnds(state);
  const open: IndexedItem[] = [];
  for await (const each of acceptedItems(options, state, 0)) {
    if (!ended.has(each.index)) {
      open.push(each);
    }
  }
  const { startTime } = state;
  const owner = ownerOf(state.submitter);
  await forEachLimited(open, maxConcurrent, async ({ item: { callId } }) => {
    if (options.stopping.aborted) {
      return; // the client sees what is open, and asks another gateway
    }
    const result = await options.canceller.cancel({ callId, owner, startTime }, holdBody);
    if (result.kind === 'refused') {
      const detail = 'Not all calls of the batch are cancelled. Send the request again.';
      throw new RefusalError({ ...toQueueRefusal(result.reason), detail, reason: result.detail });
    }
  });
  options.logger.info({ batchId: state.batchId, calls: open.length }, 'batch cancelled');
}
