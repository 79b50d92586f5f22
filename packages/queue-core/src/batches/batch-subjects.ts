import { addressTokens, ownerOf, waitingFilter } from '../call/index.ts';

/** The ways in which a call ends; each mark is of one of them. */
export const endStatuses = ['succeeded', 'failed', 'cancelled', 'expired'] as const;

export type EndStatus = (typeof endStatuses)[number];

/** What identifies a batch. */
export interface BatchKey {
  readonly batchId: string;
  /** Name of the token that it was sent with; absent if the gateway requires none. */
  readonly submitter?: string | undefined;
}

/**
 * All records of a batch are below subjects of the outcomes, `outcomes.*.*.*.*`. The third token of an outcome is a number, and
 * none of these is. Each function throws if a part could break out of its token (P7).
 */
export function batchStateSubject(of: BatchKey): string {
  return `outcomes.${tokensOf(of)}.batch.state`;
}

/** The states of the batches that have an id, of all submitters. */
export function anyBatchStateSubject(batchId: string): string {
  return `outcomes.${addressTokens({ callId: batchId }).slice(0, -'.*.*'.length)}.*.batch.state`;
}

export function batchEndSubject(of: BatchKey): string {
  return `outcomes.${tokensOf(of)}.batch.end`;
}

/** The batch of an `Idempotency-Key`: see `hashBatchKey`. */
export function batchKeySubject(hash: string, submitter: string | undefined): string {
  return `outcomes.${tokensOf({ batchId: hash, submitter })}.batch.key`;
}

export function batchItemsSubject(of: BatchKey, part: number): string {
  return `outcomes.${tokensOf(of)}.items.${part}`;
}

/** That a call of the batch has ended. */
export function markSubject(of: BatchKey, status: EndStatus, index: number): string {
  return `outcomes.${tokensOf(of)}.${status}.${index}`;
}

/** All marks of a batch with one status. */
export function marksFilter(of: BatchKey, status: EndStatus): string {
  return `outcomes.${tokensOf(of)}.${status}.*`;
}

/** The subjects of all calls of a batch that are in a queue, ready or scheduled. */
export function queuedFilter(of: BatchKey & { readonly startTime: string }, queue: string): string {
  // Other calls of that very nanosecond are among them.
  return `${waitingFilter(queue).slice(0, -'*.*'.length)}${ownerOf(of.submitter)}.${checkedTime(of.startTime)}`;
}

/** The subjects of the cancel intents of all calls of a batch. */
export function intentsFilter(of: BatchKey & { readonly startTime: string }): string {
  return `cancels.*.${ownerOf(of.submitter)}.${checkedTime(of.startTime)}.*`;
}

/** The states of all batches. */
export const batchStatesFilter = 'outcomes.*.*.batch.state';

/** The marks of all batches. */
export const batchMarksFilters = endStatuses.map((status) => `outcomes.*.*.${status}.*`);

/** The batch that a record of one is about; undefined for other subjects. */
export function parseBatchSubject(subject: string): BatchKey | undefined {
  const [root, batchId = '', _owner, kind = '', ...rest] = subject.split('.');
  const isOurs = root === 'outcomes' && rest.length === 1 && (kinds.has(kind) || isStatus(kind)) && rest[0] !== 'key';
  return isOurs ? { batchId, ...parseKeyOwner(subject) } : undefined;
}

/** Whether a record of a batch is the mark of a call. */
export function isMarkSubject(subject: string): boolean {
  return isStatus(subject.split('.').at(-2) ?? '');
}

/** The submitter in the subject of a key. */
export function parseKeyOwner(subject: string): Pick<BatchKey, 'submitter'> {
  const owner = subject.split('.')[2] ?? '~';
  return owner === '~' ? {} : { submitter: owner.replaceAll('=', '.') };
}

const kinds: ReadonlySet<string> = new Set(['batch', 'items']);

function isStatus(text: string): boolean {
  return endStatuses.some((status) => status === text);
}

function checkedTime(startTime: string): string {
  if (!/^[0-9]{1,20}$/.test(startTime)) {
    throw new TypeError('a start time must be a Unix time in nanoseconds');
  }
  return startTime;
}

function tokensOf({ batchId, submitter }: BatchKey): string {
  // The last token of an address is its start time: a batch has none.
  return addressTokens({ callId: batchId, owner: ownerOf(submitter) }).slice(0, -'.*'.length);
}
