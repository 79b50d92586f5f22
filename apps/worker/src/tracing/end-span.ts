import { type Span, SpanStatusCode } from '@opentelemetry/api';

/** Ends a span, as failed where there is a word for what went wrong. It is one of few: never text of others (P9). */
export function endSpan(span: Span, errorType: string | undefined): void {
  if (errorType !== undefined) {
    span.setAttribute('error.type', errorType);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** The attempt or delivery has no result: a cancel or our own stop came first. */
export const cutShort = 'cut_short';
