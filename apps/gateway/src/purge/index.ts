// Purges of queues and functions.

export { type PurgeOptions, purgeRoutes } from './purge.ts';
export { PurgeJobs } from './purge-jobs.ts';
