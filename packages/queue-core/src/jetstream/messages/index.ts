// Single messages: their headers and schedules, reading the last one of a subject, reading many in a row, subscribing.

export { type DeliveryInfo, parseDeliveryInfo } from './delivery-info.ts';
export { inboxCallback } from './inbox-callback.ts';
export { countMessages, hasMessage, lastMessage, messageAt, nextMessage, nextOfLeader } from './last-message.ts';
export { MessageHeaders, type OutgoingHeaders } from './message-headers.ts';
export { onFirstConnect } from './on-first-connect.ts';
export type { PulledMessage, PullReader } from './pull-reader.ts';
export { type PageBroker, readPage, readRange } from './read-page.ts';
export { type AnswerSize, inTurn, limitReads, smallBytes } from './read-turns.ts';
export { retryWhileUndecided } from './retry-while-undecided.ts';
export { expectLast, scheduledAt, setSchedule } from './schedule.ts';
export { TickBatch } from './tick-batch.ts';
