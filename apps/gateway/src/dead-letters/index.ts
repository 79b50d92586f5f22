// The resource `dead letter`.

export { type DeadLetterDesk, deadLetterRoutes } from './dead-letters.ts';
