// The resource `queue`.

export { measureRates } from './measured-rates.ts';
export type { QueueRates } from './queue-rates.ts';
export { type QueueOptions, queueRoutes } from './queues.ts';
