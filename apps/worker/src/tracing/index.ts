// The spans of a worker.

export { AttemptTrace } from './attempt-trace.ts';
export { cutShort, endSpan } from './end-span.ts';
export { requestAttributes } from './http-attributes.ts';
