// The bug: a worker uses a start again as soon as its attempt has ended, and not once the period has passed.
import { replace, runWorker, StartPool } from './shipped.mjs';

replace(
  StartPool,
  'cold',
  () =>
    function () {
      return this.held - this.open;
    },
);
runWorker();
