// The connection to the broker: all that speaks through it, and the component that opens, watches and closes it.

export { type BrokerLink, connectBroker } from './connect-broker.ts';
export { createConnections } from './connections.ts';
