// The resource `batch`: many calls with one request, and one end.

export type { BatchOptions } from './batch-options.ts';
export { BatchPlaces } from './batch-places.ts';
export { type BatchResourceOptions, batchResource } from './batch-resource.ts';
export { batchRoutes } from './batches.ts';
export { createGroupIntake, type Groups } from './groups.ts';
