// Cancels the living calls that a filter selects: `POST /system/calls/cancel`.

export { type BulkCancelOptions, bulkCancelRoutes } from './bulk-cancel.ts';
