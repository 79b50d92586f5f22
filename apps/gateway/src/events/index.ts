// Events of calls as they happen, for operators: `GET /system/events`.

export { type CallEventOptions, callEventRoutes } from './call-events.ts';
