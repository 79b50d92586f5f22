// The broker's clock, which decides about everything that is stored.

export { BrokerClock } from './broker-clock.ts';
