// Finds a nats-server that is new enough, or downloads one.

export { type FindOptions, type FoundServer, findNatsServer, type ServerSource } from './find-nats-server.ts';
