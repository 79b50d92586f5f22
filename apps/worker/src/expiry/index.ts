// Ends calls that have not begun in time.

export { buildExpiries } from './build-expiries.ts';
export { mayExpire, permitStart, type StartPermit } from './start-permit.ts';
