// Tells listeners what happens to calls, over core NATS: processes publish it while a gateway has listeners.

export { EventPublisher } from './event-publisher.ts';
export { type EventListener, type EventRelease, EventSubscription, type LossReason } from './event-subscription.ts';
