// The resource `queue`.

export { QueueRates } from './queue-rates.ts';
export { type QueueOptions, queueRoutes } from './queues.ts';
