// Waits for calls on behalf of clients, and shares look-ups between them.

export { answerWhenKnown } from './answer-when-known.ts';
export { buildCallControl, type CallControl } from './call-control.ts';
export { heartbeatMs, sendEventStream, sendEventsHead, wantsEvents } from './event-stream.ts';
export { followCall, untilEnded } from './follow-call.ts';
export { createLists, type Lists, takeTurns } from './list-turns.ts';
export { WaitEnd } from './wait-end.ts';
export { type WaiterPlace, Waiters } from './waiters.ts';
