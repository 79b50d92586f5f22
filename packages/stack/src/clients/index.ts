// Clients of a gateway: callers, those who ask for calls, and those who follow events.

export { type ApiAnswer, ApiClient, type CallRequest } from './api-client.ts';
export { CallClient, type CallState } from './call-client.ts';
export { EventsClient, type EventsClientOptions, type SystemEvent } from './events-client.ts';
