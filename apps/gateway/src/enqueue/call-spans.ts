import type { Call } from '@asyncfn/queue-core';
import { contextFrom, withContext } from '@asyncfn/service-kit';
import { ROOT_CONTEXT, type Span, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api';

/** The request of a caller, as it begins. */
export interface IncomingRequest {
  /** Pattern of its route: the path itself may hold secrets (P9). */
  readonly route: string;
  readonly traceparent: string | undefined;
}

/**
 * The gateway's part of a call's trace, in the words of OpenTelemetry's semantic conventions for HTTP and messaging.
 * Attributes hold no header, no path, no query and no body (P9).
 */
export class CallSpans {
  readonly #tracer: Tracer;

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  /** From here on a request is part of its caller's trace, or begins one. */
  startAccept({ route, traceparent }: IncomingRequest): Span {
    const parent = contextFrom(traceparent === undefined ? [] : [['traceparent', traceparent]]);
    const attributes = { 'http.request.method': 'POST', 'http.route': route, 'url.scheme': 'http' };
    return this.#tracer.startSpan(`POST ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
  }

  /** Storing the call. All that happens to it later hangs below this span, whose name travels with it. */
  startPublish(accept: Span, call: Call): Span {
    accept.setAttributes({ 'asyncfn.call.id': call.id, 'asyncfn.function': call.function });
    const attributes = {
      'messaging.system': 'nats',
      'messaging.operation.name': 'publish',
      'messaging.operation.type': 'send',
      'messaging.destination.name': call.queue,
      'messaging.message.id': call.id,
      'messaging.message.body.size': call.body.length,
      'asyncfn.function': call.function,
    };
    const parent = trace.setSpan(ROOT_CONTEXT, accept);
    return this.#tracer.startSpan(`publish ${call.queue}`, { kind: SpanKind.PRODUCER, attributes }, parent);
  }

  /** @param code of the problem that was found instead of a place in the queue */
  endPublish(publish: Span, code: string | undefined): void {
    end(publish, code);
  }

  /** @param status undefined where the client went away before its answer. A 4xx is the fault of the client, and no error of ours. */
  endAccept(accept: Span, status: number | undefined): void {
    if (status === undefined) {
      end(accept, 'client_disconnected');
      return;
    }
    accept.setAttribute('http.response.status_code', status);
    end(accept, status >= 500 ? String(status) : undefined);
  }
}

/** The call as it is stored: it was sent from this span, which so becomes the parent of what is done with it. */
export function sentFrom(publish: Span, call: Call): Call {
  return { ...call, headers: withContext(call.headers, publish) };
}

function end(span: Span, errorType: string | undefined): void {
  if (errorType !== undefined) {
    span.setAttribute('error.type', errorType);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}
