// Accepts calls: the handler on node:http, and the receipts of accepted calls.

export { type AcceptContext, type CallIntake, toQueueRefusal } from './accept.ts';
export type { AcceptedCallSampler } from './accepted-call-sampler.ts';
export { CallSpans } from './call-spans.ts';
export { enqueueRoutes } from './enqueue.ts';
export { createReceipts, type Receipts } from './receipts.ts';
export { createStartTimeClock } from './start-time.ts';
