// Three bugs, each with keys of its own: a worker ends the turn of a call that is to be retried; it gives turns without
// regard to the calls that have theirs; and it gives turns without regard to those that have just ended.
import { CallStore, FlowStore, Flows, replace, runWorker } from './shipped.mjs';

let flows;
replace(
  Flows,
  'ended',
  (ended) =>
    function (call) {
      flows = this;
      return ended.call(this, call);
    },
);
replace(
  CallStore,
  'scheduleRetry',
  (scheduleRetry) =>
    async function (delivery, call, dueAt) {
      const result = await scheduleRetry.call(this, delivery, call, dueAt);
      if (call.flow?.key.startsWith('order-')) {
        await flows?.ended(call);
      }
      return result;
    },
);
replace(
  FlowStore,
  'read',
  (read) =>
    async function (place) {
      const { state, sequence } = await read.call(this, place);
      const [kind] = place.key.split('-');
      const forgotten = kind === 'pair' ? { running: [] } : kind === 'shop' || kind === 'meter' ? { ended: [] } : {};
      return { state: state && { ...state, ...forgotten }, sequence };
    },
);
runWorker();
