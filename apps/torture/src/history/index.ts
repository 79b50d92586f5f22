// What happened, event by event, and the story of each call.

export type { EventOf, HistoryEvent, Look } from './event.ts';
export { History, nowhere, type Recorder } from './history.ts';
export { type BatchStory, type FaultSpan, type Invocation, type Stories, type Story, toStories } from './stories.ts';
