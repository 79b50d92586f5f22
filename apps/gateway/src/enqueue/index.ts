// Accepts calls: the handler on node:http, and the record of what was accepted.

export { type AcceptContext, type CallIntake, toQueueRefusal } from './accept.ts';
export { CallSpans } from './call-spans.ts';
export { enqueueRoutes } from './enqueue.ts';
export { ReceiptBook } from './receipt-book.ts';
export { createStartTimeClock } from './start-time.ts';
