import type { CallbackTask } from '@asyncfn/queue-core';
import { contextFrom, withContext } from '@asyncfn/service-kit';
import { type Span, SpanKind, type Tracer } from '@opentelemetry/api';
import { cutShort, endSpan, requestAttributes } from '../tracing/index.ts';
import type { SentCallback } from './sent-callback.ts';

/** One delivery of a callback, in the trace of its call, however late it is. */
export class CallbackTrace {
  /** The callback with the trace context of this delivery, for its receiver. */
  readonly request: CallbackTask;
  readonly traceId: string;
  readonly #span: Span;

  constructor(tracer: Tracer, task: CallbackTask) {
    const attributes = {
      ...requestAttributes(task.url, task.tries),
      'asyncfn.call.id': task.callId,
      'asyncfn.function': task.function,
      'asyncfn.attempt': task.tries + 1,
    };
    this.#span = tracer.startSpan('POST callback', { kind: SpanKind.CLIENT, attributes }, contextFrom(task.headers));
    this.request = { ...task, headers: withContext(task.headers, this.#span).map(([name, value]) => [name, value]) };
    this.traceId = this.#span.spanContext().traceId;
  }

  /** @param reason why it did not arrive, if no status says it */
  sent({ verdict, status }: SentCallback, reason: string): void {
    this.#span.setAttribute('asyncfn.verdict', verdict.kind);
    if (status !== undefined) {
      this.#span.setAttribute('http.response.status_code', status);
    }
    endSpan(this.#span, verdict.kind === 'delivered' ? undefined : String(status ?? reason));
  }

  cutShort(): void {
    endSpan(this.#span, cutShort);
  }
}
