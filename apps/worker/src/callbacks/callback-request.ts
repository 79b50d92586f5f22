import {
  type Call,
  type CallbackTask,
  endToEndHeaders,
  type HeaderList,
  keyOf,
  ownCallbackHeaders,
  rootOf,
} from '@asyncfn/queue-core';
import { type CallbackUrl, readCallbackUrl } from '@asyncfn/queue-core/callback-guard';
import { basicAuthorization, type HttpRequest } from '../http/index.ts';
import type { AttemptResult } from '../invoke/index.ts';

/** Most bytes of a receiver's response body that are read, only to reuse the connection. */
const maxAnswerBytes = 64 * 1024;

/** Response headers of a function that the callback does not carry: ours, and those that are for its client alone. */
const withheld: ReadonlySet<string> = new Set([...ownCallbackHeaders, 'set-cookie', 'set-cookie2']);

/** The part of an attempt's result that a callback carries. */
export type CallbackResult = Pick<AttemptResult, 'status' | 'headers' | 'durationMs' | 'object'>;

/**
 * The callback of a call that has ended. The caller's headers for receivers replace those of the function.
 * @param url its target: see `callbackUrlOf`
 */
export function toCallbackTask(call: Call, result: CallbackResult, maxRetries: number, url: string): CallbackTask {
  const { callbackHeaders = [] } = call;
  const rootId = rootOf(call);
  const taken = new Set(callbackHeaders.map(([name]) => name.toLowerCase()));
  const ofFunction = endToEndHeaders(result.headers, withheld).filter(([name]) => !taken.has(name.toLowerCase()));
  return {
    v: 1,
    ...keyOf(call),
    function: call.function,
    queue: call.queue,
    url,
    functionStatus: result.status,
    durationMs: result.durationMs,
    retry: call.retry,
    maxRetries,
    headers: [...callbackHeaders, ...ofFunction, ...traceContext(call.headers)].map(([name, value]) => [name, value]),
    ...(call.labels !== undefined && { labels: call.labels }),
    ...(call.ownSecret !== undefined && { ownSecret: call.ownSecret }),
    ...(call.chainDepth !== undefined && { chainDepth: call.chainDepth }),
    ...(rootId !== undefined && { rootId }),
    ...(result.object !== undefined && { bodyObject: result.object }),
    tries: 0,
  };
}

export interface CallbackRequestOptions {
  readonly userAgent: string;
  readonly timeoutMs: number;
  /** The signature's headers, if there is a secret to sign with. */
  readonly signature: HeaderList;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The POST that carries a result to its receiver, with path and query of the URL byte for byte. Throws if the task's
 * URL is invalid.
 */
export function toCallbackRequest(
  task: CallbackTask,
  body: HttpRequest['body'],
  options: CallbackRequestOptions,
): HttpRequest {
  const url = readCallbackUrl(task.url);
  if (url === undefined) {
    throw new TypeError('the URL of a callback must be an absolute http or https URL');
  }
  const { parsed, target, credentials } = url;
  return {
    origin: parsed.origin,
    path: target,
    headers: [
      ...withoutTheirs(task.headers, credentials),
      ...basicAuthorization(credentials),
      ...resultHeaders(task, options.userAgent),
      ...options.signature,
    ],
    body,
    timeoutMs: options.timeoutMs,
    maxResponseBytes: maxAnswerBytes,
    statusOnly: true,
    signal: options.signal,
  };
}

function resultHeaders(task: CallbackTask, userAgent: string): HeaderList {
  if (task.batchId !== undefined) {
    return [
      ['X-Batch-Id', task.batchId],
      ['X-Start-Time', task.startTime],
      ['X-Chain-Depth', String((task.chainDepth ?? 0) + 1)],
      ['User-Agent', userAgent],
    ];
  }
  const ofChain: HeaderList = task.rootId === undefined ? [] : [['X-Root-Call-Id', task.rootId]];
  return [
    ['X-Call-Id', task.callId],
    ['X-Function-Name', task.function],
    ['X-Function-Status', String(task.functionStatus)],
    ['X-Duration-Seconds', (task.durationMs / 1000).toFixed(6)],
    ['X-Start-Time', task.startTime],
    ['X-Retry', String(task.retry)],
    ['X-Retry-Max', String(task.maxRetries)],
    ['X-Replays', String(task.generation)],
    ['X-Chain-Depth', String((task.chainDepth ?? 0) + 1)],
    ['User-Agent', userAgent],
    ...ofChain,
  ];
}

/** W3C trace context: the caller's, so that the receiver's work joins the same trace. */
function traceContext(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => /^(traceparent|tracestate)$/i.test(name));
}

/** An `Authorization` of the function must not stand beside that of the URL: receivers refuse two of them, or worse. */
function withoutTheirs(headers: HeaderList, credentials: CallbackUrl['credentials']): HeaderList {
  return credentials === undefined ? headers : headers.filter(([name]) => name.toLowerCase() !== 'authorization');
}
