// Ends calls that have not begun in time.

export { ExpiryProcessor } from './expiry-processor.ts';
export { mayExpire, permitStart, type StartPermit } from './start-permit.ts';
