// Ends calls that have not begun in time.

export { ExpiryDesk } from './expiry-desk.ts';
export { mayExpire, permitStart, type StartPermit } from './start-permit.ts';
