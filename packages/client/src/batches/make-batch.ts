import type { AcceptedBatch } from '../api/index.ts';
import {
  type CallBody,
  type CallHeaderOptions,
  type CallKeyOptions,
  type CallOptions,
  postCall,
  setIdempotencyKey,
  toBatchItem,
  toCallHeaders,
} from '../calls/index.ts';
import { checkOptions, OptionError, type OptionNames, UnexpectedAnswerError } from '../errors/index.ts';
import { jsonBody, jsonOf, type RequestOptions, type Transport } from '../http/index.ts';

/** A call of a batch. */
export interface BatchCall extends CallHeaderOptions {
  /** `NAME` or `NAME.NAMESPACE` */
  readonly function: string;
  /** As for a single call, but no stream. */
  readonly body?: CallBody;
}

export interface BatchOptions
  extends Pick<CallHeaderOptions, 'callbackUrl' | 'failureCallbackUrl' | 'callbackHeaders'>,
    CallKeyOptions,
    RequestOptions {}

const batchOptions: OptionNames<BatchOptions> = {
  callbackUrl: true,
  failureCallbackUrl: true,
  callbackHeaders: true,
  idempotencyKey: true,
  signal: true,
};

/** An accepted batch: an answer for each call, in their order. Those that are refused have their `problem`. */
export interface BatchReceipt extends AcceptedBatch {
  /** Whether an earlier request with the same key had made the batch: perhaps an earlier try of this one. */
  readonly replayed: boolean;
  readonly idempotencyKey: string | undefined;
}

export async function makeBatch(
  transport: Transport,
  calls: Iterable<BatchCall>,
  options: BatchOptions,
): Promise<BatchReceipt> {
  checkOptions(options, batchOptions);
  const { callbackUrl, failureCallbackUrl, callbackHeaders = {}, idempotencyKey: key, signal } = options;
  const items = await Promise.all(Array.from(toIterable(calls), toBatchItem));
  const { body } = jsonBody({
    calls: items,
    callbackUrl: callbackUrl?.toString(),
    failureCallbackUrl: failureCallbackUrl?.toString(),
  });
  const headers = toCallHeaders({ callbackHeaders }, 'application/json');
  const idempotencyKey = setIdempotencyKey(headers, key);
  const repeat = idempotencyKey === undefined ? 'refused' : 'safe';
  const request = { method: 'POST', path: '/async-batch', headers, body, repeat, signal } as const;
  return await transport.request(request, async (response) => ({
    ...(await jsonOf<AcceptedBatch>(response)),
    replayed: response.headers.get('Idempotency-Replayed') === 'true',
    idempotencyKey,
  }));
}

function toIterable(calls: unknown): Iterable<BatchCall> {
  if (typeof calls !== 'object' || calls === null || !(Symbol.iterator in calls)) {
    throw new OptionError('calls: must be an array, or another iterable, of calls');
  }
  return calls as Iterable<BatchCall>;
}

/** Calls the functions of a group. */
export async function makeGroup(
  transport: Transport,
  group: string,
  body: CallBody | undefined,
  options: Omit<CallOptions, 'waitMs'>,
): Promise<BatchReceipt> {
  const posted = await postCall(transport, group, body, options, jsonOf<Partial<AcceptedBatch>>);
  const { answer, replayed, idempotencyKey } = posted;
  const { batchId, accepted, refused, calls } = answer;
  if (batchId === undefined || accepted === undefined || refused === undefined || calls === undefined) {
    throw new UnexpectedAnswerError(`${group} is no group but a function, which is called now; use call()`);
  }
  return { batchId, accepted, refused, calls, replayed, idempotencyKey };
}
