// The queues as the gateway reports them, and their last minutes.

export { historyOf, liveQueues, type Queue } from './queues.ts';
