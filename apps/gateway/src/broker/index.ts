// The connection to the broker: everything that uses it, and the components that open, watch and close it.

export type { BrokerLink } from '@asyncfn/queue-core/jetstream';
export { createBrokerComponent, createPublisherComponent } from './broker-components.ts';
export { connectBroker } from './connect-broker.ts';
