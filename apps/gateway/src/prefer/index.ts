// `Prefer: wait`: the answer to a call may be its result, if that is there in time.

export { ResultWaits } from './result-waits.ts';
