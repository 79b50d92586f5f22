import type { Call } from '../call/index.ts';
import type { Outcome } from '../records/index.ts';

/** The statuses of calls: see design of a call's state. */
export const callStatuses = [
  'scheduled',
  'queued',
  'running',
  'retrying',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
] as const;

export type CallStatus = (typeof callStatuses)[number];

/** What an index has of a status: its number, and whether the message is too large to be read for its header alone. */
export function toStatusNumber(status: CallStatus, isLarge = false): number {
  return callStatuses.indexOf(status) + (isLarge ? callStatuses.length : 0);
}

export function isLargeStatus(number: number): boolean {
  return number >= callStatuses.length;
}

/** A bit for each number that stands for one of the statuses. */
export function statusBits(statuses: ReadonlySet<CallStatus>): number {
  let bits = 0;
  for (const status of statuses) {
    bits |= (1 << toStatusNumber(status)) | (1 << toStatusNumber(status, true));
  }
  return bits;
}

/** Selects calls; an omitted field selects all. */
export interface CallFilter {
  /** Any of these functions, as they are stored: all names of a function. */
  readonly functions?: readonly string[] | undefined;
  /** Functions that the caller may know of. */
  readonly covers?: ((name: string) => boolean) | undefined;
  readonly queue?: string | undefined;
  /** Any of these statuses. */
  readonly statuses?: ReadonlySet<CallStatus> | undefined;
  readonly label?: string | undefined;
  readonly flowKey?: string | undefined;
  readonly parentId?: string | undefined;
  readonly batchId?: string | undefined;
  /** Accepted at this time or later: Unix time in milliseconds. */
  readonly fromMs?: number | undefined;
  /** Accepted at this time or earlier: Unix time in milliseconds. */
  readonly toMs?: number | undefined;
}

/** What a filter looks at, except for the status. */
export interface CallFacts {
  readonly function: string;
  readonly queue: string;
  readonly startTime: string;
  readonly labels?: readonly string[] | undefined;
  readonly flowKey?: string | undefined;
  readonly parentId?: string | undefined;
  readonly batchId?: string | undefined;
}

/** When a call was accepted: Unix time in milliseconds. */
export function createdAtMs(startTime: string): number {
  return Math.floor(createdAtMicros(startTime) / 1_000);
}

/** Exact, as nanoseconds would not be: a number has 53 bits. */
export function createdAtMicros(startTime: string): number {
  return Number(startTime.slice(0, -3));
}

/** Whether a call is selected, whatever its status. */
export function isInFilter(filter: CallFilter, facts: CallFacts): boolean {
  const { labels, flowKey, parentId, batchId, startTime } = facts;
  const { label, fromMs = Number.NEGATIVE_INFINITY, toMs = Number.POSITIVE_INFINITY } = filter;
  const at = createdAtMs(startTime);
  return (
    isNameInFilter(filter, facts) &&
    at >= fromMs &&
    at <= toMs &&
    (label === undefined || labels?.includes(label) === true) &&
    (filter.flowKey === undefined || filter.flowKey === flowKey) &&
    (filter.parentId === undefined || filter.parentId === parentId) &&
    (filter.batchId === undefined || filter.batchId === batchId)
  );
}

/** Whether calls of a function in a queue may be selected. */
export function isNameInFilter(
  { functions, covers, queue }: CallFilter,
  of: Pick<CallFacts, 'function' | 'queue'>,
): boolean {
  return (
    (queue === undefined || queue === of.queue) &&
    (functions === undefined || functions.includes(of.function)) &&
    (covers === undefined || covers(of.function))
  );
}

export function factsOfCall({ function: name, queue, startTime, labels, flow, parentId, batch }: Call): CallFacts {
  return { function: name, queue, startTime, labels, flowKey: flow?.key, parentId, batchId: batch?.id };
}

export function factsOfOutcome(outcome: Outcome): CallFacts {
  const { function: name, queue, startTime, labels, flowKey, parentId, batch } = outcome;
  return { function: name, queue, startTime, labels, flowKey, parentId, batchId: batch?.id };
}
