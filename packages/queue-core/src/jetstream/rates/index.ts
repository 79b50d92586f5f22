// Reads and writes the ledgers of rates.

export { RateStore, type ReadLedger } from './rate-store.ts';
export { RateWatch } from './rate-watch.ts';
