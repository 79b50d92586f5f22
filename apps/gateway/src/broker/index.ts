// The connection to the broker: all that speaks through it, and the components that open, watch and close it.

export { createBrokerComponent, createPublisherComponent } from './broker-components.ts';
export { type BrokerLink, connectBroker } from './connect-broker.ts';
