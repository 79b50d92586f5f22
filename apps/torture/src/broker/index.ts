// Inspects the broker from outside of the system.

export { BrokerLook } from './broker-look.ts';
export { describeLeft, type Left } from './left-messages.ts';
