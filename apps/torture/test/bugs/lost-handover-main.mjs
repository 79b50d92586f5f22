// A worker that is stopped does not give back what it holds: its calls wait until their leases run out.
import { LeaseKeeper, replace, runWorker } from './shipped.mjs';

replace(LeaseKeeper, 'held', () => () => []);
await runWorker();
