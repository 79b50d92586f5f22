// The resource `dead letter`.

export { type DeadLetterAdmin, deadLetterRoutes } from './dead-letters.ts';
