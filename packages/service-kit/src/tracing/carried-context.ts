import { type Context, ROOT_CONTEXT, type Span, type SpanContext, trace } from '@opentelemetry/api';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

type Headers = readonly (readonly [name: string, value: string])[];

/** The span that the headers of a request name; undefined if they name none, or several. */
function remoteSpan(headers: Headers): SpanContext | undefined {
  const [found, ...others] = headers.filter(([name]) => isTraceparent(name));
  return found === undefined || others.length > 0 ? undefined : parseTraceparent(found[1]);
}

/** The parent context for spans that a request with these headers causes. */
export function contextFrom(headers: Headers): Context {
  const remote = remoteSpan(headers);
  return remote === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote);
}

/** The trace id of these headers, for log lines; undefined if they name none. */
export function traceIdFrom(headers: Headers): string | undefined {
  return remoteSpan(headers)?.traceId;
}

/** Whether the headers name a span. */
export function hasContext(headers: Headers): boolean {
  return remoteSpan(headers) !== undefined;
}

/**
 * The headers with `span` instead of the span that they name. A `tracestate` is kept if the trace continues, and
 * dropped if a new one begins (W3C Trace Context, 4.3).
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
