import { type Span, SpanStatusCode } from '@opentelemetry/api';

/** Ends a span, as failed if `error` is set: one of a few fixed values, never text from elsewhere (P9). */
export function endSpan(span: Span, errorType: string | undefined): void {
  if (errorType !== undefined) {
    span.setAttribute('error.type', errorType);
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
  span.end();
}

/** The attempt or delivery has no result: a cancel or our own stop came first. */
export const cutShort = 'cut_short';
