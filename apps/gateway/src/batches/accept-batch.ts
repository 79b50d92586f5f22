import { Readable } from 'node:stream';
import type { BatchItem, BatchState } from '@asyncfn/queue-core';
import { checkCallbackUrls } from '../call-headers/index.ts';
import { refusalIfUnavailable } from '../enqueue/index.ts';
import { type BodyBudget, type BodyResult, IncomingBody } from '../http/index.ts';
import { type ProblemCode, problems, type Refusal, RefusalError, refusal } from '../problem.ts';
import { type Items, LinesBody, readDocument } from './batch-body.ts';
import type { BatchOptions } from './batch-options.ts';
import { type BatchSender, keyOf, sharedHeadersOf } from './batch-sender.ts';
import { BatchAcceptance, type BatchOrigin, countAccepted, PartIntake } from './intake/index.ts';
import type { BatchItemRequest } from './items/index.ts';
import { type BatchRequest, type OpenedBatch, openBatch, readAllItems } from './open-batch.ts';

/** A request for a batch. */
export interface IncomingBatch {
  readonly sender: BatchSender;
  readonly mediaType: string;
  readonly bodyBudget: BodyBudget;
}

/** The answer to a batch with at least one accepted call. */
export interface AcceptedBatch {
  readonly kind: 'accepted';
  readonly state: BatchState;
  readonly items: readonly BatchItem[];
  readonly refused: number;
  readonly replayed: boolean;
}

/** Room in a line for what is not the body: its path and headers. */
const lineOverhead = 64 * 1024;
/** Bytes of bodies that are being stored or gather, beside the line that is being read. */
const bytesHeld = 2 * 1024 * 1024;
/** The part of the room for bodies that one line may take, so that several batches fit. */
const partOfLine = 1 / 4;
/** Statuses after which the same batch may be accepted later. */
const passing: ReadonlySet<number> = new Set([429, 503]);
const noRoom = refusal('overloaded', 'The gateway holds too many bodies. Send the batch again later.', {
  'Retry-After': '1',
});

const tooMany = refusal(
  'overloaded',
  'The maximum number of batches of this token is being accepted. Send the batch again later.',
  {
    'Retry-After': '1',
  },
);

/** Accepts a batch: reads its items, stores their calls, and seals it. Throws `QueueError` and `RefusalError`. */
export async function acceptBatch(options: BatchOptions, batch: IncomingBatch): Promise<AcceptedBatch | Refusal> {
  const refused = refusalIfUnavailable(options.queue);
  if (refused !== undefined) {
    return refused;
  }
  switch (batch.mediaType) {
    case 'application/x-ndjson':
      return await acceptLines(options, batch);
    case 'application/json':
      return await acceptDocument(options, batch);
    default:
      return refusal('unsupported_media_type', 'A batch is application/json or application/x-ndjson.');
  }
}

async function acceptDocument(options: BatchOptions, batch: IncomingBatch): Promise<AcceptedBatch | Refusal> {
  const { maxDocumentBytes, maxCalls } = options.limits;
  const { raw, caller } = batch.sender;
  const body = IncomingBody.admit(raw, batch.bodyBudget, caller.name);
  if (body.kind === 'refused') {
    return body;
  }
  try {
    const read = await new Promise<BodyResult>((resolve) => body.read(raw, maxDocumentBytes, resolve));
    const document = read.kind === 'refused' ? read : await readDocument(read.bytes, maxCalls);
    if (document.kind === 'refused') {
      return document;
    }
    const { items, fingerprint } = document;
    return await accept(options, batch.sender, { ...document, items: () => items, fingerprint: () => fingerprint });
  } finally {
    body.release();
  }
}

async function acceptLines(options: BatchOptions, batch: IncomingBatch): Promise<AcceptedBatch | Refusal> {
  const { maxBodyBytes, limits } = options;
  const { raw, caller } = batch.sender;
  // A body in base64 takes four bytes for three; text that JSON must escape may be refused though it would fit.
  const whole = 2 * maxBodyBytes + lineOverhead;
  const maxLineBytes = Math.min(whole, Math.floor(batch.bodyBudget.limitBytes * partOfLine));
  const share = batch.bodyBudget.open(maxLineBytes + bytesHeld, () => {}, caller.name);
  if (share === undefined) {
    return noRoom;
  }
  share.complete(); // it is held whether or not the client is slow
  try {
    const lines = new LinesBody(raw, { maxBytes: limits.maxBytes, maxLineBytes });
    const none = { callbackUrl: undefined, failureCallbackUrl: undefined };
    const content = { ...none, items: () => lines.items(), fingerprint: () => lines.fingerprint };
    return await accept(options, batch.sender, content);
  } finally {
    share.release();
  }
}

/** The items of a group, which have all headers of the request. */
export interface GroupItems {
  readonly group: string;
  readonly items: readonly BatchItemRequest[];
  readonly fingerprint: string;
}

/** Accepts items that are there already. Throws `QueueError` and `RefusalError`. */
export async function acceptItems(
  options: BatchOptions,
  sender: BatchSender,
  { group, items, fingerprint }: GroupItems,
): Promise<AcceptedBatch | Refusal> {
  const refused = refusalIfUnavailable(options.queue);
  if (refused !== undefined) {
    return refused;
  }
  const none = { callbackUrl: undefined, failureCallbackUrl: undefined };
  const content = { ...none, items: () => Readable.from(items), fingerprint: () => fingerprint };
  return await accept(options, sender, { ...content, group });
}

interface Content {
  /** Its items have all headers of the request. Default: it has items with their own headers. */
  readonly group?: string;
  readonly callbackUrl: string | undefined;
  readonly failureCallbackUrl: string | undefined;
  readonly items: () => Items;
  /** Called once the items are read. */
  readonly fingerprint: () => string;
}

async function accept(options: BatchOptions, sender: BatchSender, content: Content): Promise<AcceptedBatch | Refusal> {
  using place = options.places.take(sender.caller.name);
  if (place === undefined) {
    return tooMany;
  }
  const request = toRequest(sender, content);
  const unfit = checkCallbackUrls(request, options.callbackPolicy);
  if (unfit !== undefined) {
    return unfit;
  }
  const startedAt = performance.now();
  const result = await openAndFill(options, sender, request, content);
  if (result.kind === 'accepted') {
    report(options, sender, result, performance.now() - startedAt);
  }
  return result;
}

function report({ logger, metrics }: BatchOptions, { caller }: BatchSender, result: AcceptedBatch, ms: number): void {
  const { state, items, refused, replayed } = result;
  const accepted = countAccepted(items);
  const fields = { batchId: state.batchId, accepted, refused, token: caller.name, durationMs: Math.round(ms) };
  logger.info(fields, replayed ? 'batch was already accepted' : 'batch accepted');
  metrics.batchAccepted(replayed ? 'replayed' : 'stored');
}

async function openAndFill(
  options: BatchOptions,
  sender: BatchSender,
  request: BatchRequest,
  content: Content,
): Promise<AcceptedBatch | Refusal> {
  const opened = await openBatch(options, request);
  switch (opened.kind) {
    case 'refused':
      return opened;
    case 'known':
      return await replay(options, opened.state, content);
    case 'opened': {
      const origin = toOrigin(sender, opened, content.group);
      const parts = new PartIntake(options);
      const { batches, limits } = options;
      const acceptance = new BatchAcceptance({ parts, batches, origin, opened, maxCalls: limits.maxCalls });
      const filled = await fill(acceptance, content, opened.state);
      countRefused(options, acceptance.items);
      return filled;
    }
  }
}

function countRefused({ metrics }: BatchOptions, items: readonly BatchItem[]): void {
  for (const item of items) {
    if ('problem' in item) {
      metrics.callRefused(item.problem['code'] as ProblemCode);
    }
  }
}

async function fill(
  acceptance: BatchAcceptance,
  content: Content,
  state: BatchState,
): Promise<AcceptedBatch | Refusal> {
  let unclear = 'Calls of the batch may have been stored, and run without it. Send the batch again later.';
  try {
    for await (const item of content.items()) {
      await acceptance.add(item);
    }
    await acceptance.complete();
    if (acceptance.accepted > 0) {
      unclear = maybeSealed;
      await acceptance.seal(content.fingerprint());
      const { items, refused } = acceptance;
      return { kind: 'accepted', state, items, refused, replayed: false };
    }
  } catch (error) {
    // The client does not wait for a broker that is slow. If it is not stored, the key is free in a minute.
    acceptance.giveUp().catch(() => undefined);
    throw toUnclear(error, unclear);
  }
  await acceptance.giveUp();
  return firstProblem(acceptance.items);
}

const maybeSealed =
  'The accepted calls of the batch are stored, and run. The batch may or may not be sealed. ' +
  'Send it again later: with its Idempotency-Key, none of its calls is stored twice.';

/** Calls of a batch that cannot be completed may be stored: its answer must not say that none is. */
function toUnclear(error: unknown, detail: string): unknown {
  if (!(error instanceof RefusalError) || problems[error.refusal.code].status !== 503) {
    return error;
  }
  return new RefusalError({ ...error.refusal, code: 'broker_unavailable', detail });
}

/** The same batch again: nothing is stored, and the body is read to compare it. */
async function replay(options: BatchOptions, state: BatchState, content: Content): Promise<AcceptedBatch | Refusal> {
  for await (const _ of content.items()) {
    // its fingerprint counts
  }
  if (content.fingerprint() !== state.fingerprint) {
    return refusal('idempotency_key_reused', 'The earlier batch with this key had another body.');
  }
  const items = await readAllItems(options, state);
  return { kind: 'accepted', state, items, refused: state.refused, replayed: true };
}

/** Nothing was accepted: the answer is the first problem, with those of all items. */
function firstProblem(items: readonly BatchItem[]): Refusal {
  const [first] = items;
  if (first === undefined || !('problem' in first)) {
    return refusal('invalid_batch', 'The batch has no calls.');
  }
  const { code, detail } = first.problem;
  const calls = items.map(toItemView);
  const known = code as ProblemCode;
  const again = passing.has(problems[known].status) ? { 'Retry-After': '2' } : {};
  return { ...refusal(known, `Item 0: ${String(detail)}`, again), members: { index: 0, calls } };
}

/** The body of the answer to an accepted batch. */
export function toAnswer({ state: { batchId }, items, refused, replayed }: AcceptedBatch) {
  const accepted = countAccepted(items);
  const headers: Record<string, string> = { 'X-Batch-Id': batchId, Location: `/async-batch/${batchId}` };
  if (replayed) {
    headers['Idempotency-Replayed'] = 'true';
  }
  return { headers, body: { batchId, accepted, refused, calls: items.map(toItemView) } };
}

/** An item in an answer. */
function toItemView(item: BatchItem): Record<string, unknown> {
  return 'problem' in item
    ? { status: 'refused', problem: item.problem }
    : { callId: item.callId, status: item.scheduled ? 'scheduled' : 'queued' };
}

function toRequest(sender: BatchSender, content: Content): BatchRequest {
  const { caller, headers } = sender;
  return {
    submitter: caller.name,
    ownSecret: caller.callbackSecretFile !== undefined,
    key: keyOf(sender, content.group),
    callbackUrl: content.callbackUrl ?? headers.callbackUrl,
    failureCallbackUrl: content.failureCallbackUrl ?? headers.failureCallbackUrl,
    callbackHeaders: headers.callbackHeaders,
    chainDepth: headers.origin.chainDepth,
  };
}

function toOrigin(sender: BatchSender, opened: OpenedBatch & { kind: 'opened' }, group?: string): BatchOrigin {
  const { raw, caller, headers } = sender;
  const { batchId, startTime } = opened.state;
  return {
    batchId,
    startTime,
    resumed: opened.resumed,
    caller,
    peer: raw.socket.remoteAddress,
    parentId: headers.origin.parentId,
    sharedHeaders: group === undefined ? sharedHeadersOf(sender) : [],
    mayBeCallback: group !== undefined,
  };
}
