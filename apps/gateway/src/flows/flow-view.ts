import type { FlowInfo, FlowPosition } from '@asyncfn/queue-core/jetstream';
import { formatRate } from '@asyncfn/units';
import { invalidParameter } from '../problem.ts';

/** A flow key as operators see it. */
export function toFlowView({ function: name, key, submitter, queue, ...rest }: FlowInfo) {
  const { waiting, running, parallelism, rate, limitsFrom, paused, pinned } = rest;
  return {
    function: name,
    key,
    ...(submitter !== undefined && { submitter }),
    queue,
    waiting,
    running,
    parallelism,
    rate: rate === undefined ? null : formatRate(rate),
    limitsFrom,
    paused,
    pinned,
  };
}

const form = /^1\.([A-Za-z0-9_-]{1,63})\.([0-9a-z]{1,11})$/;

/** The place where the next page begins, as text. */
export function toCursor({ queue, sequence }: FlowPosition): string {
  return Buffer.from(`1.${queue}.${sequence.toString(36)}`).toString('base64url');
}

/** The reverse of `toCursor`. Throws `RefusalError`. */
export function parseCursor(cursor: string | undefined): FlowPosition | undefined {
  if (cursor === undefined) {
    return undefined;
  }
  const [, queue, sequence = ''] = form.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  const position = Number.parseInt(sequence, 36);
  if (queue === undefined || !Number.isSafeInteger(position)) {
    throw invalidParameter('cursor must be the cursor of the page before, unchanged.');
  }
  return { queue, sequence: position };
}
