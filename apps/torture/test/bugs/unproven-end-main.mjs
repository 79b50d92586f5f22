// Ends that are recorded by whoever has seen their call at some time: it may have ended elsewhere, and that be forgotten.
import { replace, runWorker, Settler } from './shipped.mjs';

replace(
  Settler,
  'end',
  (end) =>
    function (held, how) {
      return end.call(this, { ...held, seenAt: Number.POSITIVE_INFINITY }, how);
    },
);
await runWorker();
