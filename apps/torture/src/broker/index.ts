// Looks into the broker from outside of the system.

export { BrokerLook } from './broker-look.ts';
