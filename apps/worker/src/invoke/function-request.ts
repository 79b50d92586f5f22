import { type Call, chainHeaders, credentialsOf, endToEndHeaders, type HeaderList } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { BodyStore } from '@asyncfn/queue-core/jetstream';
import {
  type AbortWatch,
  basicAuthorization,
  type HttpRequest,
  type LargeResponses,
  type StreamedBody,
} from '../http/index.ts';
import { memoizeWeak } from '../memoize-weak.ts';
import type { ByteShare } from '../memory/index.ts';

export interface FunctionRequestOptions {
  readonly userAgent: string;
  readonly maxRetries: number;
  readonly maxResponseBytes: number;
  /** Reads the body of a call that is stored apart. */
  readonly bodies: Pick<BodyStore, 'read'>;
  /** Takes a response that is too large for the memory, as that of the call. */
  readonly responses?: LargeResponses | undefined;
  /** The call as it is in its queue. */
  readonly call?: Call | undefined;
  /** Counts the response. */
  readonly room?: ByteShare | undefined;
  readonly signal?: AbortWatch | undefined;
  /** Called when the request is sent over an open connection. */
  readonly onSent?: (() => void) | undefined;
}

/** Headers that we set on every request to a function, and hop-by-hop headers of the caller's request. */
const replaced: ReadonlySet<string> = new Set([
  'content-length',
  'expect',
  'host',
  'user-agent',
  'x-call-id',
  'x-callback-url',
  chainHeaders.depth,
  chainHeaders.parentCallId,
  chainHeaders.replays,
  'x-retry',
  'x-retry-max',
  'x-schedule-name',
  'x-scheduled-at',
  'x-start-time',
]);

/** The request of one attempt, as the function receives it. */
export function toFunctionRequest(call: Call, target: FunctionConfig, options: FunctionRequestOptions): HttpRequest {
  const { origin, basePath, authorization } = endpointOf(target);
  const travelling = endToEndHeaders(call.headers, replaced);
  return {
    origin,
    path: toPath(basePath, call.path, call.query),
    headers: [...travelling, ...(isAuthorized(travelling) ? [] : authorization), ...ownHeaders(call, options)],
    body: toBody(call, options.bodies),
    timeoutMs: shorter(target.timeoutMs, call.timeoutMs ?? 0),
    maxResponseBytes: options.maxResponseBytes,
    responses: options.responses,
    call: options.call,
    room: options.room,
    signal: options.signal,
    onSent: options.onSent,
  };
}

function toBody(
  { body, bodyObject, submitter }: Call,
  bodies: FunctionRequestOptions['bodies'],
): Uint8Array | StreamedBody {
  return bodyObject === undefined
    ? body
    : { length: bodyObject.length, open: () => bodies.read(bodyObject, submitter) };
}

/** The shorter of two deadlines; 0 is none. */
function shorter(a: number, b: number): number {
  return a === 0 || b === 0 ? a + b : Math.min(a, b);
}

/** The endpoint of a function, parsed from its URL once, not for each call. */
const endpointOf = memoizeWeak(({ url }: FunctionConfig): Endpoint => {
  const parsed = new URL(url);
  const { origin, pathname } = parsed;
  const basePath = pathname.endsWith('/') ? pathname.slice(0, -1) : pathname;
  return { origin, basePath, authorization: basicAuthorization(credentialsOf(parsed)) };
});

interface Endpoint {
  readonly origin: string;
  readonly basePath: string;
  /** Credentials from user and password of the URL. */
  readonly authorization: HeaderList;
}

/** Whether the caller has sent credentials for the function: then those of the URL are not used. */
function isAuthorized(headers: HeaderList): boolean {
  return headers.some(([name]) => name.length === 'authorization'.length && name.toLowerCase() === 'authorization');
}

/** The path of the function's URL with the call's sub-path and query appended byte for byte. */
function toPath(basePath: string, subPath: string, query: string): string {
  const path = `${basePath}${subPath}`;
  return `${path === '' ? '/' : path}${query === '' ? '' : `?${query}`}`;
}

function ownHeaders(call: Call, { userAgent, maxRetries }: FunctionRequestOptions): HeaderList {
  return [
    ['X-Call-Id', call.id],
    ['X-Start-Time', call.startTime],
    ['X-Retry', String(call.retry)],
    ['X-Retry-Max', String(maxRetries)],
    ['User-Agent', userAgent],
    ...chainOf(call),
    ...scheduleOf(call),
  ];
}

/** The schedule that has made the call, and the moment for which it has. */
function scheduleOf({ schedule }: Call): HeaderList {
  return schedule === undefined
    ? []
    : [
        ['X-Schedule-Name', schedule.name],
        ['X-Scheduled-At', new Date(schedule.at).toISOString()],
      ];
}

/** Headers that identify this call as the parent of a call that the function makes, if the function forwards them. */
function chainOf({ parentId, chainDepth = 0 }: Call): HeaderList {
  const depth: HeaderList = chainDepth > 0 ? [['X-Chain-Depth', String(chainDepth)]] : [];
  return parentId === undefined ? depth : [['X-Parent-Call-Id', parentId], ...depth];
}
