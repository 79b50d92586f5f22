// A worker that is stopped does not give back what it holds: its calls wait until their leases run out.
import { LeaseRenewer, replace, runWorker } from './shipped.mjs';

replace(LeaseRenewer, 'deliveries', () => () => []);
await runWorker();
