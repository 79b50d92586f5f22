// The connection to the broker: the parts that use it, and the component that opens, watches and closes it.

export { type BrokerLink, connectBroker } from './connect-broker.ts';
export { createConnections } from './connections.ts';
