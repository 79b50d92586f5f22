// The bug: a gateway does not claim ids. Two calls with one id for two queues are looked up at the same moment, and
// both are stored.
import { IdClaims, replace, runGateway } from './shipped.mjs';

replace(IdClaims, 'take', () => () => Promise.resolve({ kind: 'claimed', release: async () => {} }));
runGateway();
