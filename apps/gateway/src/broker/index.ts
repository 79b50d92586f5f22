// The connection to the broker: everything that uses it, and the components that open, watch and close it.

export { createBrokerComponent, createPublisherComponent } from './broker-components.ts';
export { type BrokerLink, connectBroker } from './connect-broker.ts';
