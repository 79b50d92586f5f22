// Answers that come piece by piece: server-sent events, and lines of JSON.

export { type CallEvent, type EventOptions, followCall, followEvents, type MissedEvents } from './call-events.ts';
export { toLines } from './lines.ts';
