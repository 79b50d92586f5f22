import { type Context, ROOT_CONTEXT, type Span, type SpanContext, trace } from '@opentelemetry/api';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

type Headers = readonly (readonly [name: string, value: string])[];

/** The span that the headers of a request were sent from; undefined where they name none, or several. */
function remoteSpan(headers: Headers): SpanContext | undefined {
  const [found, ...others] = headers.filter(([name]) => isTraceparent(name));
  return found === undefined || others.length > 0 ? undefined : parseTraceparent(found[1]);
}

/** What a span that is caused by a request with these headers has for its parent. */
export function contextFrom(headers: Headers): Context {
  const remote = remoteSpan(headers);
  return remote === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote);
}

/** The trace that these headers are part of, for a line of the log; undefined where they name none. */
export function traceIdFrom(headers: Headers): string | undefined {
  return remoteSpan(headers)?.traceId;
}

/** Whether the headers name the span that they were sent from. */
export function hasContext(headers: Headers): boolean {
  return remoteSpan(headers) !== undefined;
}

/**
 * The headers with `span` in the place of the one that they were sent from. A `tracestate` stays with a trace that goes on,
 * and goes with one that begins anew (W3C Trace Context, 4.3).
 */
export function withContext(headers: Headers, span: Span): Headers {
  const goesOn = hasContext(headers);
  const others = headers.filter(([name]) => !isTraceparent(name) && (goesOn || !isTracestate(name)));
  return [...others, ['traceparent', formatTraceparent(span.spanContext())]];
}

function isTraceparent(name: string): boolean {
  return name.length === 11 && name.toLowerCase() === 'traceparent';
}

function isTracestate(name: string): boolean {
  return name.length === 10 && name.toLowerCase() === 'tracestate';
}
