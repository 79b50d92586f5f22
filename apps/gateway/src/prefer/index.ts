// `Prefer: wait`: the answer to a call is its result if the call ends in time.

export { ResultWaits } from './result-waits.ts';
