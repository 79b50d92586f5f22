import { decodeCall } from '../../call/index.ts';
import { callbackUrlOf, chainFields } from '../../chain/index.ts';
import type { Outcome } from '../../records/index.ts';
import type { StoredDeadLetter } from '../dead-letters/index.ts';

/** The outcome of a call that only its dead letter shows: it could not be recorded, or the call had none. */
export function toLostOutcome({ letter, original, body }: StoredDeadLetter): Outcome {
  const decoded = decodeCall(original, body);
  const call = decoded.kind === 'call' ? decoded.call : undefined;
  const { callId, submitter, startTime, generation, function: name, queue } = letter;
  const { reason, lastStatus, attempts, endedAt } = letter;
  const status = reason === 'expired' ? 'expired' : 'failed';
  const labels = call?.labels ?? letter.labels;
  const callbackUrl = call && callbackUrlOf(call, status);
  return {
    v: 1,
    callId,
    generation,
    function: name,
    queue,
    status,
    reason,
    ...(lastStatus !== undefined && { functionStatus: lastStatus }),
    attempts,
    maxRetries: call?.maxRetries ?? Math.max(0, attempts - 1),
    ...(submitter !== undefined && { submitter }),
    startTime,
    ...(call?.startedAt !== undefined && { startedAt: call.startedAt }),
    endedAt,
    headers: [],
    bodyOmitted: 'not_recorded',
    ...(callbackUrl !== undefined && { callbackUrl }),
    ...(call?.history !== undefined && { history: call.history }),
    ...(labels !== undefined && { labels }),
    ...(call?.parentId !== undefined && { parentId: call.parentId }),
    ...(call !== undefined && chainFields(call)),
  };
}
