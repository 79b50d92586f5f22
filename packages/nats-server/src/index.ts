export { type FindOptions, type FoundServer, findNatsServer, type ServerSource } from './find/index.ts';
export { NatsServerError, type NatsServerErrorCode } from './nats-server-error.ts';
export { type NatsCluster, type NatsClusterOptions, startNatsCluster } from './start-nats-cluster.ts';
export { type NatsServer, type NatsServerOptions, startNatsServer } from './start-nats-server.ts';
