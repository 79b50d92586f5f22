import { bodyLengthOf, type Call } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { Delivery } from '@asyncfn/queue-core/jetstream';
import type { Verdict } from '@asyncfn/queue-core/settle';
import { contextFrom, hasContext, withContext } from '@asyncfn/service-kit';
import { type Attributes, type Context, type Span, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import type { AttemptResult } from '../invoke/index.ts';
import { cutShort, endSpan } from './end-span.ts';
import { requestAttributes } from './http-attributes.ts';

/** What is known before an attempt. */
export interface AttemptFacts {
  readonly call: Call;
  readonly delivery: Delivery;
  readonly target: FunctionConfig;
  /** Unix time in milliseconds. */
  readonly now: number;
}

/**
 * The spans of one attempt in the trace of its call: the wait in the queue, the processing, and within that the request
 * to the function. Every span is a child of the span that the call's headers name, in order of time, so that the trace
 * looks the same whichever workers ran the call, and after a crash.
 */
export class AttemptTrace {
  /** The call, with a trace context: the trace of a call that came without one begins with its wait, in hindsight. */
  readonly call: Call;
  /** The call with the trace context of this attempt, for its function. */
  readonly request: Call;
  readonly traceId: string;
  readonly #processing: Span;
  readonly #asking: Span;

  constructor(tracer: Tracer, facts: AttemptFacts) {
    const { call, target } = facts;
    const given = contextFrom(call.headers);
    const attributes = messageAttributes(facts);
    const wait = traceWait(tracer, facts, attributes, given);
    const first = hasContext(call.headers) ? undefined : wait;
    const parent = first === undefined ? given : trace.setSpan(given, first);
    this.#processing = tracer.startSpan(
      `process ${call.queue}`,
      {
        kind: SpanKind.CONSUMER,
        attributes: {
          ...attributes,
          'messaging.operation.name': 'process',
          'messaging.operation.type': 'process',
          'asyncfn.attempt': call.retry + 1,
        },
      },
      parent,
    );
    this.call = hasContext(call.headers)
      ? call
      : { ...call, headers: withContext(call.headers, first ?? this.#processing) };
    this.#asking = tracer.startSpan(
      `POST ${call.function}`,
      { kind: SpanKind.CLIENT, attributes: requestAttributes(target.url, call.retry) },
      trace.setSpan(parent, this.#processing),
    );
    this.request = { ...call, headers: withContext(call.headers, this.#asking) };
    this.traceId = this.#processing.spanContext().traceId;
  }

  /** Ends the request's span. Without a result the whole attempt was cut short. */
  ended(result: AttemptResult | undefined): void {
    if (result === undefined) {
      endSpan(this.#asking, cutShort);
      endSpan(this.#processing, cutShort);
      return;
    }
    const { kind, status, code } = result;
    if (kind !== 'answered') {
      endSpan(this.#asking, code ?? kind);
      return;
    }
    this.#asking.setAttribute('http.response.status_code', status);
    endSpan(this.#asking, status >= 400 ? String(status) : undefined);
  }

  /** What follows the result has been decided. */
  settled(verdict: Verdict): void {
    this.#processing.setAttribute('asyncfn.verdict', verdict.kind);
    endSpan(this.#processing, verdict.kind === 'succeeded' ? undefined : verdict.reason);
  }
}

/**
 * The wait between the broker and this attempt, known only at its end. Not for a call that is delivered again, or
 * attempted again without going back: it would include the time of earlier attempts. Times are dates, since the SDK
 * misreads a number from before the start of the process.
 */
function traceWait(
  tracer: Tracer,
  { call, delivery, now }: AttemptFacts,
  attributes: Attributes,
  parent: Context,
): Span | undefined {
  const { storedAtMs, deliveries } = delivery.info;
  const isFromQueue = delivery.call.kind === 'call' && delivery.call.call.retry === call.retry;
  if (deliveries > 1 || !isFromQueue) {
    return undefined;
  }
  const options = { kind: SpanKind.INTERNAL, attributes, startTime: new Date(storedAtMs) };
  // The broker's clock differs from ours.
  const wait = tracer.startSpan(`wait ${call.queue}`, options, parent);
  wait.end(new Date(Math.max(storedAtMs, now)));
  return wait;
}

function messageAttributes({ call, delivery }: AttemptFacts): Attributes {
  return {
    'messaging.system': 'nats',
    'messaging.destination.name': call.queue,
    'messaging.message.id': call.id,
    'messaging.message.body.size': bodyLengthOf(call),
    'asyncfn.function': call.function,
    'asyncfn.delivery': delivery.info.deliveries,
    ...(call.generation !== undefined && { 'asyncfn.replay': call.generation }),
  };
}
