// What operators do: functions, queues, schedules, dead letters, many calls at once, and what runs.

export { eachCall, eraseCall, findCalls } from './calls.ts';
export { type DeadLetterReference, DeadLetters } from './dead-letters.ts';
export { Flows } from './flows.ts';
export { Functions, type PutOptions, type RemoveOptions } from './functions.ts';
export type { PurgeOptions } from './purge.ts';
export { Queues } from './queues.ts';
export { Schedules } from './schedules.ts';
