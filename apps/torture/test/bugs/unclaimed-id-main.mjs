// Ids that are not claimed: two calls of one id that are for two queues are looked for at the same moment, and both stored.
import { IdClaims, replace, runGateway } from './shipped.mjs';

replace(IdClaims, 'take', () => () => Promise.resolve({ kind: 'claimed', release: async () => {} }));
await runGateway();
