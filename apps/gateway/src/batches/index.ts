// The resource `batch`: many calls with one request, and one end.

export type { BatchOptions } from './batch-options.ts';
export { batchResource, type BatchResourceOptions } from './batch-resource.ts';
export { batchRoutes } from './batches.ts';
