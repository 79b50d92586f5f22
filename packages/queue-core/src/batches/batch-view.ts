import { type BatchCounts, type BatchEnd, type BatchState, endedOf } from './batch-records.ts';

/** The state of a batch as its caller sees it. */
export interface BatchView extends BatchCounts {
  readonly batchId: string;
  /** Accepted calls. */
  readonly total: number;
  /** Those that have not ended. */
  readonly open: number;
  /** RFC 3339 */
  readonly createdAt: string;
  readonly endedAt?: string;
}

/** @param end absent while the batch has none; then `counts` are those of now */
export function toBatchView({ batchId, total, createdAt }: BatchState, counts: BatchCounts, end?: BatchEnd): BatchView {
  const { succeeded, failed, cancelled, expired } = end ?? counts;
  const ended = endedOf({ succeeded, failed, cancelled, expired });
  return {
    batchId,
    total,
    // Only the end is the end: until it is stored, the last call counts as open.
    open: end === undefined ? Math.max(1, total - ended) : 0,
    succeeded,
    failed,
    cancelled,
    expired,
    createdAt: new Date(createdAt).toISOString(),
    ...(end !== undefined && { endedAt: new Date(end.endedAt).toISOString() }),
  };
}

/** The URL for the callback of the batch; undefined if no receiver gets it. */
export function batchUrlOf({ total, callbackUrl, failureCallbackUrl }: BatchState, { succeeded }: BatchCounts) {
  return succeeded < total ? (failureCallbackUrl ?? callbackUrl) : callbackUrl;
}
