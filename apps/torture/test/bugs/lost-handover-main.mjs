// The bug: a worker that is stopped does not give back its calls. They wait until their leases run out.
import { LeaseRenewer, replace, runWorker } from './shipped.mjs';

replace(LeaseRenewer, 'deliveries', () => () => []);
runWorker();
