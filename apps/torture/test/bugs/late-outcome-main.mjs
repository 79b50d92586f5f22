// The bug: a worker acks a call before it records the outcome. If it dies in between, the call never ends.
import { replace, runWorker, Settler } from './shipped.mjs';

replace(
  Settler,
  'end',
  (end) =>
    async function (held, how) {
      held.delivery.ack();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return end.call(this, held, how);
    },
);
runWorker();
