// The bug: a worker records the end of any call that it has seen at some time. The call may have ended elsewhere, and
// that end may be forgotten.
import { replace, runWorker, Settler } from './shipped.mjs';

replace(
  Settler,
  'end',
  (end) =>
    function (held, how) {
      return end.call(this, { ...held, seenAt: Number.POSITIVE_INFINITY }, how);
    },
);
runWorker();
