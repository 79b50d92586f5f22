import { OptionError } from '../errors/index.ts';
import { type Duration, type QueryValues, toDuration, toQuery } from '../http/index.ts';
import { type FlowControl, toFlowControl } from './flow-control.ts';

/** What a call can say of itself, alone and in a batch. */
export interface CallHeaderOptions {
  /** Below the function's URL: `/a/b`, with or without a query, sent byte for byte. Percent-encode what needs it. */
  readonly path?: string;
  /** Appended to `path`, encoded. */
  readonly query?: QueryValues | URLSearchParams;
  /** Reach the function. An array sends a header several times. The options below win over headers of the same name. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>> | Headers;
  /** `Content-Type` of the body. Default: what the kind of body says, nothing for bytes. */
  readonly contentType?: string;
  /** Receives the result: an absolute http or https URL. */
  readonly callbackUrl?: string | URL;
  /** Receives the callback of a call that ends as `failed` or `expired`; `callbackUrl` then receives successes alone. */
  readonly failureCallbackUrl?: string | URL;
  /** Headers for the receivers of callbacks, which functions do not get: at most 16, 4 KiB together. */
  readonly callbackHeaders?: Readonly<Record<string, string>>;
  /** Up to 16 steps that follow when the call succeeds, each with the result of the one before: `flip?axis=x`, `store/thumbnails`. */
  readonly then?: string | readonly string[];
  /** Up to 10 labels to find the call by, each `[A-Za-z0-9._=:-]{1,64}`. */
  readonly labels?: string | readonly string[];
  /** Calls of the function with the same key run in order: 1 to 128 visible ASCII characters. */
  readonly flowKey?: string;
  /** How many calls of the key may run, unless the settings of the function say it. Needs `flowKey`. Default: one at once. */
  readonly flowControl?: FlowControl;
  /** Not invoked before this much time has passed; at most 365 days. */
  readonly delay?: Duration;
  /** Not invoked before this time; at most 365 days ahead. Not together with `delay`. */
  readonly notBefore?: Date | string;
  /** If the call has not started by then, it ends as `expired`; at most 365 days. */
  readonly expiresIn?: Duration;
  /** Deadline of one attempt, if shorter than the function's own. */
  readonly timeout?: Duration;
  /** Retries after the first attempt, 0 to 1,000. Default: the function's. */
  readonly maxRetries?: number;
  /** An id that you choose, `[A-Za-z0-9_-]{1,128}`; `409 call_id_conflict` if a call of yours has it. Default: a UUIDv7. */
  readonly callId?: string;
  /** Reaches the function as `Authorization`. */
  readonly functionAuthorization?: string;
  /** W3C trace context: the call is part of this trace. */
  readonly traceparent?: string;
  /** W3C trace context of a vendor, with `traceparent`. */
  readonly tracestate?: string;
}

/**
 * The headers of a call. The gateway checks their values.
 *
 * @throws OptionError for what no header can carry
 */
export function toCallHeaders(options: CallHeaderOptions, contentType: string | undefined): Headers {
  const headers = new Headers();
  const set = (name: string, value: string | undefined): void => {
    if (value !== undefined) {
      write(() => headers.set(name, value), name);
    }
  };
  for (const [name, value] of entriesOf(options.headers)) {
    write(() => headers.append(name, value), name);
  }
  if (!headers.has('Content-Type')) {
    set('Content-Type', contentType);
  }
  set('Content-Type', options.contentType);
  set('X-Callback-Url', options.callbackUrl?.toString());
  set('X-Failure-Callback-Url', options.failureCallbackUrl?.toString());
  for (const [name, value] of Object.entries(options.callbackHeaders ?? {})) {
    set(`X-Callback-Forward-${name}`, value);
  }
  set('X-Then', toSteps(options.then));
  set('X-Label', toLabels(options.labels));
  set('X-Flow-Key', options.flowKey);
  set('X-Flow-Control', toFlowControl(options.flowKey, options.flowControl));
  setTimes(options, set);
  set('X-Max-Retries', options.maxRetries?.toString());
  set('X-Call-Id', options.callId);
  set('X-Function-Authorization', options.functionAuthorization);
  set('traceparent', options.traceparent);
  set('tracestate', options.tracestate);
  return headers;
}

function setTimes(options: CallHeaderOptions, set: (name: string, value: string | undefined) => void): void {
  const { delay, notBefore, expiresIn, timeout } = options;
  set('X-Delay', delay === undefined ? undefined : toDuration('delay', delay));
  set('X-Not-Before', notBefore === undefined ? undefined : toTime(notBefore));
  set('X-Expires-In', expiresIn === undefined ? undefined : toDuration('expiresIn', expiresIn));
  set('X-Timeout', timeout === undefined ? undefined : toDuration('timeout', timeout));
}

/**
 * `/NAME[/path][?query]`
 *
 * @throws OptionError for a name or a path that cannot be one
 */
export function toCallPath(name: string, { path = '', query }: Pick<CallHeaderOptions, 'path' | 'query'>): string {
  if (typeof name !== 'string' || !/^[\w-]{1,63}(\.[\w-]{1,63})?$/.test(name)) {
    throw new OptionError(
      `function: ${JSON.stringify(name)} is not NAME or NAME.NAMESPACE, each of 1 to 63 letters, digits, - and _`,
    );
  }
  return `/${name}${toSubPath(path, query)}`;
}

/** Path and query after the name of a function. */
export function toSubPath(path: string, query: CallHeaderOptions['query']): string {
  if (path !== '' && !/^[/?]/.test(path)) {
    throw new OptionError(`path: must begin with / or ?; write ${JSON.stringify(`/${path}`)}`);
  }
  const own = query instanceof URLSearchParams ? (query.size === 0 ? '' : `?${query}`) : toQuery(query ?? {});
  return path + (path.includes('?') ? own.replace('?', '&') : own);
}

function* entriesOf(headers: CallHeaderOptions['headers']): Generator<[string, string]> {
  if (headers instanceof Headers) {
    yield* headers.entries();
    return;
  }
  for (const [name, value = []] of Object.entries(headers ?? {})) {
    if (typeof value !== 'string' && !Array.isArray(value)) {
      throw new OptionError(`headers: ${JSON.stringify(name)} is neither text nor an array of texts`);
    }
    for (const each of typeof value === 'string' ? [value] : value) {
      yield [name, each];
    }
  }
}

/** Commas separate steps, so those within a step are encoded, which the function is called with as they are. */
function toSteps(then: CallHeaderOptions['then']): string | undefined {
  const steps = typeof then === 'string' ? [then] : then;
  return steps === undefined ? undefined : steps.map((step) => step.replaceAll(',', '%2C')).join(',');
}

function toLabels(labels: CallHeaderOptions['labels']): string | undefined {
  return typeof labels === 'string' ? labels : labels?.join(',');
}

function toTime(time: Date | string): string {
  if (typeof time === 'string') {
    return time;
  }
  if (Number.isNaN(time.getTime())) {
    throw new OptionError('notBefore: is an invalid Date');
  }
  return time.toISOString();
}

/** Fetch's own error quotes the value, which may be a secret. */
function write(set: () => void, name: string): void {
  try {
    set();
  } catch {
    throw new OptionError(`headers: ${JSON.stringify(name)} or its value cannot be sent: not visible ASCII`);
  }
}
