import {
  chainHeaders,
  connectionOptions,
  type HeaderList,
  hopByHopHeaders,
  isCallId,
  isIdempotencyKey,
} from '@asyncfn/queue-core';
import { parseDuration } from '@asyncfn/units';
import { type Refusal, refusal } from '../problem.ts';
import { type CallOrigin, type OriginHeaders, readOrigin } from './call-origin.ts';
import { type CallTimes, readCallTimes, type TimeHeaders } from './call-times.ts';
import { checkForwarded, headersForReceivers, isForReceivers } from './callback-headers.ts';
import { type CallFlow, readFlow } from './flow.ts';
import { checkLabels, readLabels } from './labels.ts';

/** The headers of an enqueue, sorted by recipient. */
export interface CallHeaders {
  readonly kind: 'headers';
  /** For the function: end-to-end headers in order, with names and values unchanged (latin1). */
  readonly travelling: HeaderList;
  /** `X-Call-Id`, checked; undefined if it is the id of another call (see `origin`). */
  readonly callId: string | undefined;
  readonly origin: CallOrigin;
  /** `X-Callback-Url`, unchanged. */
  readonly callbackUrl: string | undefined;
  /** `X-Failure-Callback-Url`, unchanged. */
  readonly failureCallbackUrl: string | undefined;
  /** All values of `X-Then`: see `admitSteps`. */
  readonly thens: readonly string[];
  /** `X-Callback-Forward-*`, checked, without the prefix. */
  readonly callbackHeaders: HeaderList;
  /** `X-Label`, checked. */
  readonly labels: readonly string[];
  /** `X-Max-Retries`, checked. */
  readonly maxRetries: number | undefined;
  /** `X-Timeout` in milliseconds, checked. */
  readonly timeoutMs: number | undefined;
  /** `Idempotency-Key`, checked. */
  readonly idempotencyKey: string | undefined;
  /** `X-Flow-Key` and `X-Flow-Control`, checked. */
  readonly flow: CallFlow | undefined;
  /** `X-Delay`, `X-Not-Before` and `X-Expires-In`, checked. */
  readonly times: CallTimes;
}

/** All values of each header that is meant for the gateway. */
interface Special extends TimeHeaders, OriginHeaders {
  callIds: readonly string[];
  functionStatuses: readonly string[];
  startTimes: readonly string[];
  retries: readonly string[];
  replays: readonly string[];
  parentCallIds: readonly string[];
  chainDepths: readonly string[];
  batchIds: readonly string[];
  callbackUrls: readonly string[];
  failureCallbackUrls: readonly string[];
  thens: readonly string[];
  labels: readonly string[];
  maxRetries: readonly string[];
  timeouts: readonly string[];
  delays: readonly string[];
  notBefores: readonly string[];
  expiries: readonly string[];
  idempotencyKeys: readonly string[];
  flowKeys: readonly string[];
  flowControls: readonly string[];
  /** `Connection` */
  connection: readonly string[];
  /** `Host` */
  hosts: readonly string[];
  /** `X-Function-Authorization` */
  functionAuthorizations: readonly string[];
}

const none: readonly string[] = [];
const noHeaders: HeaderList = [];

/** Exported for `isControl`. */
export const places: ReadonlyMap<string, keyof Special> = new Map([
  ['x-call-id', 'callIds'],
  ['x-function-status', 'functionStatuses'],
  ['x-start-time', 'startTimes'],
  ['x-retry', 'retries'],
  [chainHeaders.replays, 'replays'],
  [chainHeaders.parentCallId, 'parentCallIds'],
  [chainHeaders.depth, 'chainDepths'],
  ['x-batch-id', 'batchIds'],
  ['x-callback-url', 'callbackUrls'],
  ['x-failure-callback-url', 'failureCallbackUrls'],
  ['x-then', 'thens'],
  ['x-label', 'labels'],
  ['x-max-retries', 'maxRetries'],
  ['x-timeout', 'timeouts'],
  ['x-delay', 'delays'],
  ['x-not-before', 'notBefores'],
  ['x-expires-in', 'expiries'],
  ['idempotency-key', 'idempotencyKeys'],
  ['x-flow-key', 'flowKeys'],
  ['x-flow-control', 'flowControls'],
  ['connection', 'connection'],
  ['host', 'hosts'],
  ['x-function-authorization', 'functionAuthorizations'],
]);

/** W3C trace context. */
export const traceHeaders: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

/** Headers that are not passed on: hop-by-hop, for the gateway, or set by the worker itself. */
export const staying: ReadonlySet<string> = new Set([
  ...hopByHopHeaders,
  'host',
  'content-length',
  'expect',
  'user-agent',
  // The gateway's own credentials; a function's come in X-Function-Authorization.
  'authorization',
  'x-callback-url',
  'x-failure-callback-url',
  'x-then',
  'x-label',
  'x-flow-key',
  'x-flow-control',
  'x-call-id',
  'x-start-time',
  'x-retry',
  'x-retry-max',
  chainHeaders.replays,
  chainHeaders.parentCallId,
  chainHeaders.depth,
  'x-schedule-name',
  'x-scheduled-at',
  // The worker passes it on as X-Retry-Max. X-Timeout is passed on: OpenFaaS's of-watchdog uses it as well.
  'x-max-retries',
  // For this gateway only: the next one would wait again.
  'x-delay',
  'x-not-before',
  'x-expires-in',
]);

/**
 * Sorts the headers of an enqueue. The function receives all of them in order, except hop-by-hop headers (RFC 9110,
 * 7.6.1) and those in `staying`; `X-Forwarded-*` is extended as a proxy does. An empty header for the gateway counts as
 * absent, as in OpenFaaS.
 *
 * @param rawHeaders names and values in turn, as `node:http` gives them
 * @param peer address of the client's end of the connection
 * @param now Unix time in milliseconds
 */
export function sortCallHeaders(
  rawHeaders: readonly string[],
  peer: string | undefined,
  now: number,
): CallHeaders | Refusal {
  const [all, passing] = sort(rawHeaders);
  const origin = checkCallId(all) ?? readOrigin(all);
  if (origin.kind === 'refused') {
    return origin;
  }
  const special = origin.callbackOf === undefined ? all : { ...all, ...withoutControls };
  const callbackHeaders = origin.callbackOf === undefined ? headersForReceivers(rawHeaders) : noHeaders;
  const labels = readLabels(special.labels);
  const times = check(special) ?? checkForwarded(callbackHeaders) ?? checkLabels(labels) ?? readCallTimes(special, now);
  if (times.kind === 'refused') {
    return times;
  }
  const flow = readFlow(special.flowKeys, special.flowControls);
  if (flow?.kind === 'refused') {
    return flow;
  }
  const endToEnd = withoutNamed(ofOrigin(passing, origin, all), special.connection);
  const travelling = special.functionAuthorizations.length > 0 ? withAuthorization(endToEnd) : endToEnd;
  addForwarded(travelling, special.hosts[0], peer);
  const [callId] = special.callIds;
  const [callbackUrl] = special.callbackUrls;
  const [failureCallbackUrl] = special.failureCallbackUrls;
  const [idempotencyKey] = special.idempotencyKeys;
  const [maxRetries] = special.maxRetries;
  const [timeout] = special.timeouts;
  return {
    kind: 'headers',
    travelling,
    callId: origin.parentId === undefined ? callId : undefined,
    origin,
    callbackUrl,
    failureCallbackUrl,
    thens: special.thens,
    callbackHeaders,
    labels,
    maxRetries: maxRetries === undefined ? undefined : Number(maxRetries),
    timeoutMs: timeout === undefined ? undefined : parseDuration(timeout),
    idempotencyKey,
    flow: flow?.flow,
    times,
  };
}

/**
 * A callback has the headers of a function's response. Control headers among them were not meant for this gateway, and
 * must not delay a call, merge it with another or get it refused. The exception is `X-Callback-Url`, with which the
 * function continues the chain, as in OpenFaaS.
 */
const withoutControls = {
  failureCallbackUrls: none,
  thens: none,
  labels: none,
  maxRetries: none,
  timeouts: none,
  delays: none,
  notBefores: none,
  expiries: none,
  idempotencyKeys: none,
  flowKeys: none,
  flowControls: none,
  functionAuthorizations: none,
} satisfies Partial<Special>;

/** Those among them that would be passed on. */
const resultControls: ReadonlySet<string> = new Set(['x-timeout', 'idempotency-key', 'x-function-authorization']);

/** Only the callback of a known call has one: passing it on would turn a function's own calls into callbacks. */
const resultOfNoCall: ReadonlySet<string> = new Set(['x-function-status']);

/** The headers for the function, depending on the origin of the call. */
function ofOrigin(headers: Header[], { callbackOf, parentId }: CallOrigin, { functionStatuses }: Special): Header[] {
  if (functionStatuses.length === 0) {
    return headers;
  }
  const dropped = parentId === undefined ? resultOfNoCall : callbackOf === undefined ? undefined : resultControls;
  return dropped === undefined ? headers : headers.filter(([name]) => !dropped.has(name.toLowerCase()));
}

type Header = readonly [name: string, value: string];

/** Separates the headers for the gateway from those for the function. One pass, because every call pays for it. */
function sort(rawHeaders: readonly string[]): [Special, Header[]] {
  const special: Special = {
    callIds: none,
    functionStatuses: none,
    startTimes: none,
    retries: none,
    replays: none,
    parentCallIds: none,
    chainDepths: none,
    batchIds: none,
    callbackUrls: none,
    failureCallbackUrls: none,
    thens: none,
    labels: none,
    maxRetries: none,
    timeouts: none,
    delays: none,
    notBefores: none,
    expiries: none,
    idempotencyKeys: none,
    flowKeys: none,
    flowControls: none,
    connection: none,
    hosts: none,
    functionAuthorizations: none,
  };
  const passing: Header[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    const lower = name.toLowerCase();
    const place = places.get(lower);
    if (value === '' && (place !== undefined || traceHeaders.has(lower))) {
      continue; // empty counts as absent
    }
    if (place !== undefined) {
      special[place] = special[place].length === 0 ? [value] : [...special[place], value];
    }
    if (!staying.has(lower) && !isForReceivers(name)) {
      passing.push([name, value]);
    }
  }
  return [special, passing];
}

/** Headers that `Connection` names are about this hop (RFC 9110, 7.6.1). */
function withoutNamed(headers: Header[], connection: readonly string[]): Header[] {
  if (connection.length === 0) {
    return headers;
  }
  const named = new Set(connection.flatMap(connectionOptions));
  return headers.filter(([name]) => !named.has(name.toLowerCase()));
}

function checkCallId({ callIds }: Special): Refusal | undefined {
  return callIds.length > 1 || !callIds.every(isCallId)
    ? refusal('invalid_call_id', 'X-Call-Id is sent once and matches [A-Za-z0-9_-]{1,128}.')
    : undefined;
}

/** All but what `readOrigin` checks. */
function check(special: Special): Refusal | undefined {
  const { callbackUrls, failureCallbackUrls, maxRetries, timeouts, idempotencyKeys } = special;
  if (callbackUrls.length > 1) {
    return refusal('invalid_callback_url', 'X-Callback-Url must be sent once.');
  }
  if (failureCallbackUrls.length > 1) {
    return refusal('invalid_callback_url', 'X-Failure-Callback-Url must be sent once.');
  }
  if (maxRetries.length > 1 || !maxRetries.every(isRetryCount)) {
    return refusal('invalid_max_retries', 'X-Max-Retries must be sent once, as a whole number from 0 to 1000.');
  }
  if (timeouts.length > 1 || !timeouts.every(isTimeout)) {
    return refusal('invalid_timeout', 'X-Timeout must be sent once, as a duration above zero, such as 30s or 1m30s.');
  }
  if (idempotencyKeys.length > 1 || !idempotencyKeys.every(isIdempotencyKey)) {
    return refusal(
      'invalid_idempotency_key',
      'Idempotency-Key must be sent once, as 1 to 255 visible ASCII characters.',
    );
  }
  return undefined;
}

function isRetryCount(text: string): boolean {
  return /^\d{1,4}$/.test(text) && Number(text) <= 1000;
}

function isTimeout(text: string): boolean {
  return (parseDuration(text) ?? 0) > 0;
}

function withAuthorization(headers: readonly Header[]): Header[] {
  return headers.map(([name, value]) =>
    name.toLowerCase() === 'x-function-authorization' ? ['Authorization', value] : [name, value],
  );
}

function addForwarded(travelling: Header[], host: string | undefined, peer: string | undefined): void {
  if (peer !== undefined) {
    addForwardedFor(travelling, peer.replace(/^::ffff:(?=\d+\.)/, ''));
  }
  if (host !== undefined && lastIndexOf(travelling, 'x-forwarded-host') < 0) {
    travelling.push(['X-Forwarded-Host', host]);
  }
  if (lastIndexOf(travelling, 'x-forwarded-proto') < 0) {
    travelling.push(['X-Forwarded-Proto', 'http']);
  }
}

function addForwardedFor(travelling: Header[], peer: string): void {
  const index = lastIndexOf(travelling, 'x-forwarded-for');
  const last = travelling[index];
  if (last === undefined) {
    travelling.push(['X-Forwarded-For', peer]);
  } else {
    travelling[index] = [last[0], last[1] === '' ? peer : `${last[1]}, ${peer}`];
  }
}

function lastIndexOf(headers: HeaderList, lowerName: string): number {
  return headers.findLastIndex(([name]) => name.length === lowerName.length && name.toLowerCase() === lowerName);
}
