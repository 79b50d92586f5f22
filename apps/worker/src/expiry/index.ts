// Ends calls that have not begun in time.

export { buildExpiries, type Expiries } from './build-expiries.ts';
export { mayExpire, permitStart, type StartPermit } from './start-permit.ts';
