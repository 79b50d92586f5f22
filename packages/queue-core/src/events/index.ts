// Events, which tell listeners what happens to calls: their records, bundles, order and subjects. Pure.

export {
  CallEvent,
  functionOfEvent,
  type StartedCall,
  stateOfEvent,
  toAcceptedEvent,
  toAttemptEvent,
  toCallbackEvent,
  toEndedEvent,
  toStartedEvent,
} from './call-event.ts';
export { decodeEventBundle, EventBundle, otherFunctions } from './event-bundle.ts';
export { EventOrder } from './event-order.ts';
export { eventSubjects, eventsWantedCodec } from './event-subjects.ts';
