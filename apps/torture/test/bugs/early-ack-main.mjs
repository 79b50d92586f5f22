// Acknowledged before the function is invoked: nobody else has the call when this worker dies.
import { CallRunner, replace, runWorker } from './shipped.mjs';

replace(
  CallRunner,
  'run',
  (run) =>
    function (delivery, target) {
      delivery.ack();
      return run.call(this, delivery, target);
    },
);
await runWorker();
