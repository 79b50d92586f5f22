// Acknowledged before the outcome is recorded: a worker that dies in between leaves a call without an end.
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
await runWorker();
