import { type Span, trace } from '@opentelemetry/api';
import { describe, expect, test } from 'vitest';
import { contextFrom, hasContext, withContext } from './carried-context.ts';
import { formatTraceparent, parseTraceparent } from './traceparent.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const spanId = '00f067aa0ba902b7';
const traceparent = `00-${traceId}-${spanId}-01`;
const span = { spanContext: () => ({ traceId, spanId: 'b7ad6b7169203331', traceFlags: 1 }) } as unknown as Span;
const own = `00-${traceId}-b7ad6b7169203331-01`;

describe('a traceparent', () => {
  test('names a span, and whether it is recorded', () => {
    expect(parseTraceparent(traceparent)).toEqual({ traceId, spanId, traceFlags: 1, isRemote: true });
    expect(parseTraceparent(`00-${traceId}-${spanId}-00`)).toMatchObject({ traceFlags: 0 });
    expect(formatTraceparent(parseTraceparent(traceparent)!)).toBe(traceparent);
  });

  test('of a later version is read as far as it is known', () => {
    expect(parseTraceparent(`cc-${traceId}-${spanId}-03-more`)).toMatchObject({ traceId, spanId, traceFlags: 1 });
  });

  test.for([
    '',
    'secret',
    traceparent.toUpperCase(),
    `${traceparent}-more`,
    `ff-${traceId}-${spanId}-01`,
    `00-${'0'.repeat(32)}-${spanId}-01`,
    `00-${traceId}-${'0'.repeat(16)}-01`,
    `00-${traceId}-${spanId}`,
    `${traceparent}, ${traceparent}`,
  ])('that is %j names none', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});

describe('headers that carry a trace', () => {
  test('make their span the parent of what follows, without the state of others', () => {
    const context = contextFrom([
      ['Traceparent', traceparent],
      ['tracestate', 'vendor=secret'],
    ]);
    expect(trace.getSpanContext(context)).toEqual({ traceId, spanId, traceFlags: 1, isRemote: true });
  });

  test('are sent on from another span, with the state of the trace and all other headers unchanged', () => {
    const headers = [
      ['A', '1'],
      ['TraceParent', traceparent],
      ['Tracestate', 'vendor=opaque'],
    ] as const;
    expect(withContext(headers, span)).toEqual([
      ['A', '1'],
      ['Tracestate', 'vendor=opaque'],
      ['traceparent', own],
    ]);
  });

  test.for([
    [],
    [['traceparent', 'none']],
    [
      ['traceparent', traceparent],
      ['traceparent', traceparent],
    ],
  ] as const)('begin a new trace where they are %j, without the state of an old one', (headers) => {
    expect(hasContext(headers)).toBe(false);
    expect(withContext([...headers, ['tracestate', 'vendor=opaque']], span)).toEqual([['traceparent', own]]);
  });
});
