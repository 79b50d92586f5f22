// What strangers may use before their signature is verified: requests of an address, and room for bodies.

export { AddressRates } from './address-rates.ts';
export { PartnerRoom, partners } from './partner-room.ts';
export { senderOf } from './sender.ts';
