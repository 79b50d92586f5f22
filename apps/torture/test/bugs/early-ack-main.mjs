// The bug: a worker acks a call before it invokes the function. If this worker dies, the call is lost.
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
runWorker();
