import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { type BatchItem, type BatchState, isIdempotencyKey } from '@asyncfn/queue-core';
import type { Caller } from '@asyncfn/tokens';
import { checkCallbackUrl } from '../call-headers/index.ts';
import { toDurabilityRefusal, toQueueRefusal } from '../enqueue/index.ts';
import { type BodyBudget, IncomingBody } from '../http/index.ts';
import { type ProblemCode, problems, type Refusal, RefusalError, refusal } from '../problem.ts';
import { type Items, LinesBody, readDocument } from './batch-body.ts';
import type { BatchOptions } from './batch-options.ts';
import { BatchAcceptance, type BatchOrigin, PartIntake } from './intake/index.ts';
import type { BatchItemRequest } from './items/index.ts';
import { type BatchRequest, openBatch, readAllItems } from './open-batch.ts';

/** Who sends a batch, and with which headers. */
export interface BatchSender {
  readonly raw: IncomingMessage;
  readonly caller: Caller;
  /** Headers that all items share: names and values in turn. Default: those of the request that every item may have. */
  readonly sharedHeaders?: readonly string[];
  /** The group whose batches the key tells apart. Default: those of `/async-batch`. */
  readonly group?: string;
  /** It is the callback of a call: this stands for its key. Default: it is not. */
  readonly callbackKey?: string | undefined;
}

/** A request for a batch. */
export interface IncomingBatch extends BatchSender {
  readonly mediaType: string;
  readonly bodyBudget: BodyBudget;
}

/** The answer to a batch of which something was accepted. */
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
/** Statuses after which the same batch may be accepted later. */
const passing: ReadonlySet<number> = new Set([429, 503]);
/** Headers of the request that its items share, unless they have their own. */
const shared: ReadonlySet<string> = new Set(['host', 'traceparent', 'tracestate']);

const noRoom = refusal('overloaded', 'The gateway holds too many bodies. Send the batch again later.', {
  'Retry-After': '1',
});

const tooMany = refusal(
  'overloaded',
  'As many batches of this token are being accepted as may be at once. Send it later.',
  {
    'Retry-After': '1',
  },
);

/** Accepts a batch: reads its items, stores their calls, and seals it. Throws `QueueError` and `RefusalError`. */
export async function acceptBatch(options: BatchOptions, batch: IncomingBatch): Promise<AcceptedBatch | Refusal> {
  const refused = checkRoom(options) ?? checkKey(headerOf(batch.raw, 'idempotency-key'));
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

function checkRoom({ queue }: BatchOptions): Refusal | undefined {
  if (queue.available) {
    return undefined;
  }
  return queue.shortfall === undefined ? toQueueRefusal('unavailable') : toDurabilityRefusal(queue.shortfall);
}

function checkKey(key: string | undefined): Refusal | undefined {
  return key === undefined || isIdempotencyKey(key)
    ? undefined
    : refusal('invalid_idempotency_key', 'Idempotency-Key must be 1 to 255 visible ASCII characters, sent once.');
}

async function acceptDocument(options: BatchOptions, batch: IncomingBatch): Promise<AcceptedBatch | Refusal> {
  const { maxDocumentBytes, maxCalls } = options.limits;
  const body = IncomingBody.admit(batch.raw, batch.bodyBudget, batch.caller.name);
  if (body.kind === 'refused') {
    return body;
  }
  try {
    const read = await new Promise<Parameters<Parameters<IncomingBody['read']>[2]>[0]>((resolve) =>
      body.read(batch.raw, maxDocumentBytes, resolve),
    );
    const document = read.kind === 'refused' ? read : await readDocument(read.bytes, maxCalls);
    if (document.kind === 'refused') {
      return document;
    }
    const { items, fingerprint } = document;
    return await accept(options, batch, { ...document, items: () => items, fingerprint: () => fingerprint });
  } finally {
    body.release();
  }
}

async function acceptLines(options: BatchOptions, batch: IncomingBatch): Promise<AcceptedBatch | Refusal> {
  const { maxBodyBytes, limits } = options;
  // A body in base64 takes four bytes for three; text that JSON must escape may be refused though it would fit.
  const maxLineBytes = 2 * maxBodyBytes + lineOverhead;
  const share = batch.bodyBudget.open(maxLineBytes + bytesHeld, () => {}, batch.caller.name);
  if (share === undefined) {
    return noRoom;
  }
  share.complete(); // it is held whether or not the client is slow
  try {
    const lines = new LinesBody(batch.raw, { maxBytes: limits.maxBytes, maxLineBytes });
    const none = { callbackUrl: undefined, failureCallbackUrl: undefined };
    return await accept(options, batch, { ...none, items: () => lines.items(), fingerprint: () => lines.fingerprint });
  } finally {
    share.release();
  }
}

/** Accepts items that are there already. Throws `QueueError` and `RefusalError`. */
export async function acceptItems(
  options: BatchOptions,
  batch: BatchSender,
  items: readonly BatchItemRequest[],
  fingerprint: string,
): Promise<AcceptedBatch | Refusal> {
  const isKeyed = batch.callbackKey === undefined;
  const refused = checkRoom(options) ?? (isKeyed ? checkKey(headerOf(batch.raw, 'idempotency-key')) : undefined);
  if (refused !== undefined) {
    return refused;
  }
  const none = { callbackUrl: undefined, failureCallbackUrl: undefined };
  return await accept(options, batch, { ...none, items: () => Readable.from(items), fingerprint: () => fingerprint });
}

interface Content {
  readonly callbackUrl: string | undefined;
  readonly failureCallbackUrl: string | undefined;
  readonly items: () => Items;
  /** Called once the items are read. */
  readonly fingerprint: () => string;
}

async function accept(options: BatchOptions, batch: BatchSender, content: Content): Promise<AcceptedBatch | Refusal> {
  using place = options.places.take(batch.caller.name);
  if (place === undefined) {
    return tooMany;
  }
  const request = toRequest(batch, content);
  const unfit = checkUrls(options, request);
  if (unfit !== undefined) {
    return unfit;
  }
  const startedAt = performance.now();
  const result = await openAndFill(options, batch, request, content);
  if (result.kind === 'accepted') {
    report(options, batch, result, performance.now() - startedAt);
  }
  return result;
}

function report({ logger, metrics }: BatchOptions, { caller }: BatchSender, result: AcceptedBatch, ms: number): void {
  const { state, items, refused, replayed } = result;
  const accepted = items.filter((item) => !('problem' in item)).length;
  const fields = { batchId: state.batchId, accepted, refused, token: caller.name, durationMs: Math.round(ms) };
  logger.info(fields, replayed ? 'batch was already accepted' : 'batch accepted');
  metrics.batchAccepted(replayed ? 'replayed' : 'stored');
}

async function openAndFill(
  options: BatchOptions,
  batch: BatchSender,
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
      const origin = toOrigin(batch, opened.state, opened.resumed);
      const parts = new PartIntake(options);
      const { batches, limits } = options;
      const acceptance = new BatchAcceptance({ parts, batches, origin, opened, maxCalls: limits.maxCalls });
      return await fill(acceptance, content, opened.state);
    }
  }
}

async function fill(
  acceptance: BatchAcceptance,
  content: Content,
  state: BatchState,
): Promise<AcceptedBatch | Refusal> {
  try {
    for await (const item of content.items()) {
      await acceptance.add(item);
    }
    await acceptance.complete();
    if (acceptance.accepted > 0) {
      await acceptance.seal(content.fingerprint());
      const { items, refused } = acceptance;
      return { kind: 'accepted', state, items, refused, replayed: false };
    }
  } catch (error) {
    await acceptance.giveUp().catch(() => undefined); // then its key is free in a minute
    throw toUnclear(error);
  }
  await acceptance.giveUp();
  return firstProblem(acceptance.items);
}

/** Calls of a batch that cannot be completed may be stored: its answer must not say that none is. */
function toUnclear(error: unknown): unknown {
  if (!(error instanceof RefusalError) || problems[error.refusal.code].status !== 503) {
    return error;
  }
  const detail = 'Calls of the batch may have been stored, and run without it. Send the batch again later.';
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

/** What the client of an accepted batch is told. */
export function toAnswer({ state: { batchId }, items, refused, replayed }: AcceptedBatch) {
  const accepted = items.filter((item) => !('problem' in item)).length;
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

function toRequest({ raw, caller, group, callbackKey }: BatchSender, content: Content): BatchRequest {
  const key = callbackKey ?? headerOf(raw, 'idempotency-key');
  // Of the headers of a function's response, a callback may bring X-Callback-Url alone: see `withoutControls`.
  const ofHeader = callbackKey === undefined ? headerOf(raw, 'x-failure-callback-url') : undefined;
  return {
    submitter: caller.name,
    ownSecret: caller.callbackSecretFile !== undefined,
    // No key and no name has a space in it.
    key: key === undefined || group === undefined ? key : `${group} ${key}`,
    callbackUrl: content.callbackUrl ?? headerOf(raw, 'x-callback-url'),
    failureCallbackUrl: content.failureCallbackUrl ?? ofHeader,
  };
}

function checkUrls({ callbackPolicy }: BatchOptions, { callbackUrl, failureCallbackUrl }: BatchRequest) {
  return (
    (callbackUrl === undefined ? undefined : checkCallbackUrl(callbackUrl, callbackPolicy)) ??
    (failureCallbackUrl === undefined
      ? undefined
      : checkCallbackUrl(failureCallbackUrl, callbackPolicy, 'X-Failure-Callback-Url'))
  );
}

function toOrigin(sender: BatchSender, { batchId, startTime }: BatchState, resumed: boolean): BatchOrigin {
  const { raw, caller } = sender;
  const { rawHeaders, socket } = raw;
  const isShared = (_: string, at: number): boolean => shared.has((rawHeaders[at - (at % 2)] ?? '').toLowerCase());
  const sharedHeaders = sender.sharedHeaders ?? rawHeaders.filter(isShared);
  const isCallback = sender.callbackKey !== undefined;
  return { batchId, startTime, isCallback, caller, peer: socket.remoteAddress, sharedHeaders, resumed };
}

/** An empty header counts as absent, as in a single call. Several values are joined, and so never valid. */
function headerOf({ headers }: IncomingMessage, name: string): string | undefined {
  const value = headers[name];
  return [value].flat().join(',') || undefined;
}
