import { type DeadLetter, emptyBody, type PublishResult } from '@asyncfn/queue-core';
import type { CallStore } from '@asyncfn/queue-core/jetstream';
import { isTooLarge, type PublishRetryOptions, publishWithRetry } from './publish-with-retry.ts';

/** The header and the body that a call or a callback travelled with. */
export interface Original {
  readonly header: string;
  readonly value: string;
  /** The same header without what a replay does not need. Default: nothing can be left out of it. */
  readonly bare?: string;
  readonly body: Uint8Array;
}

export interface DeadLetterResult {
  readonly result: PublishResult;
  /** As it is stored. */
  readonly letter: DeadLetter;
}

/**
 * Stores a dead letter, whole. Parts that are too large for the broker are omitted, and the dead letter says so:
 * without a dead letter, the call would come back for ever.
 */
export async function storeDeadLetter(
  store: Pick<CallStore, 'putDeadLetter'>,
  letter: DeadLetter,
  original: Original,
  options: PublishRetryOptions,
): Promise<DeadLetterResult> {
  const put = async (kept: DeadLetter, of: Original): Promise<DeadLetterResult> => {
    return { letter: kept, result: await publishWithRetry(() => store.putDeadLetter(kept, of), options) };
  };
  const { value, bare = value } = original;
  let whole = await put(letter, original);
  if (isTooLarge(whole.result) && bare !== value) {
    whole = await put(letter, { ...original, value: bare });
  }
  if (!isTooLarge(whole.result)) {
    return whole;
  }
  const withoutBody = await put({ ...letter, omitted: 'body' }, { ...original, value: bare, body: emptyBody });
  return isTooLarge(withoutBody.result)
    ? await put({ ...letter, omitted: 'all' }, { ...original, value: '', body: emptyBody })
    : withoutBody;
}
