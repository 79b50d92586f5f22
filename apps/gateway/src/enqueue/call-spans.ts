import { bodyLengthOf, type Call } from '@asyncfn/queue-core';
import type { AcceptOptions, AcceptResult, CallQueue } from '@asyncfn/queue-core/jetstream';
import { contextFrom, withContext } from '@asyncfn/service-kit';
import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';

/** The start of a caller's request. */
export interface IncomingRequest {
  /** Pattern of its route: the path itself may contain secrets (P9). */
  readonly route: string;
  readonly traceparent: string | undefined;
}

/**
 * The gateway's part of a call's trace, by OpenTelemetry's semantic conventions for HTTP and messaging. Attributes
 * contain no header, path, query or body (P9).
 */
export class CallSpans {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** Starts the span of a request, in its caller's trace or a new one. */
  startAccept({ route, traceparent }: IncomingRequest): Span {
    const parent = contextFrom(traceparent === undefined ? [] : [['traceparent', traceparent]]);
    const attributes = { 'http.request.method': 'POST', 'http.route': route, 'url.scheme': 'http' };
    return this.#tracer.startSpan(`POST ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
  }

  /** The span of storing the call. All later spans of the call are below it; its context is stored with the call. */
  startPublish(accept: Span, call: Call): Span {
    accept.setAttributes({ 'asyncfn.call.id': call.id, 'asyncfn.function': call.function });
    const attributes = {
      'messaging.system': 'nats',
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': call.queue,
      'messaging.message.id': call.id,
      'messaging.message.body.size': bodyLengthOf(call),
      'asyncfn.function': call.function,
    };
    const parent = trace.setSpan(ROOT_CONTEXT, accept);
    return this.#tracer.startSpan(`publish ${call.queue}`, { kind: SpanKind.PRODUCER, attributes }, parent);
  }

  /** @param code of the problem if the call was not stored */
  endPublish(publish: Span, code: string | undefined): void {
    end(publish, code);
  }

  /**
   * @param status undefined if the client disconnected before its answer. A 4xx is the client's fault, not an error.
   */
  endAccept(accept: Span, status: number | undefined): void {
    if (status === undefined) {
      end(accept, 'client_disconnected');
      return;
    }
    accept.setAttribute('http.response.status_code', status);
    end(accept, status >= 500 ? String(status) : undefined);
  }
}

/** The call to store, with this span as the parent of everything that happens to it later. */
function sentFrom(publish: Span, call: Call): Call {
  return { ...call, headers: withContext(call.headers, publish) };
}

function end(span: Span, errorType: string | undefined): void {
  if (errorType !== undefined) {
    span.setAttribute('error.type', errorType);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

export interface StoreCallOptions {
  readonly queue: Pick<CallQueue, 'accept'>;
  /** Undefined if tracing is off. */
  readonly spans?: CallSpans | undefined;
}

/**
 * Stores a call, in a span of its own if its request is traced.
 * @param accept the span of the request
 */
export function storeCall(
  { queue, spans }: StoreCallOptions,
  accept: Span | undefined,
  call: Call,
  how: AcceptOptions,
): Promise<AcceptResult> {
  return spans === undefined || accept === undefined
    ? queue.accept(call, how)
    : traced(spans, spans.startPublish(accept, call), (publish) => queue.accept(sentFrom(publish, call), how));
}

async function traced(
  spans: CallSpans,
  publish: Span,
  store: (publish: Span) => Promise<AcceptResult>,
): Promise<AcceptResult> {
  try {
    const result = await store(publish);
    spans.endPublish(publish, result.kind === 'refused' ? result.reason : undefined);
    return result;
  } catch (error) {
    spans.endPublish(publish, 'internal_error');
    throw error;
  }
}
