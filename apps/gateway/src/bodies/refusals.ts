import type { RefusalReason } from '@asyncfn/queue-core';
import { toQueueRefusal } from '../enqueue/index.ts';
import { type Refusal, refusal } from '../problem.ts';

export const storeFull = refusal(
  'queue_full',
  'The call was not accepted because the store of large bodies is full. Send it again later.',
  { 'Retry-After': '10' },
);

/** Why the broker did not store a body. */
export function toUploadRefusal({
  reason,
  detail,
}: {
  readonly reason: RefusalReason;
  readonly detail: string;
}): Refusal {
  const known = reason === 'queue_full' ? storeFull : toQueueRefusal(reason === 'conflict' ? 'timeout' : reason);
  return { ...known, reason: detail };
}
