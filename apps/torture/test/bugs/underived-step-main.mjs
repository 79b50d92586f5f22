// The bug: the next call of a chain has another id each time. A worker that dies before its ack creates two of it.
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { replace, runWorker, StepQueue } from './shipped.mjs';

replace(
  StepQueue,
  'store',
  (store) =>
    async function (call) {
      const result = await store.call(this, { ...call, id: randomUUID() });
      await delay(200);
      return result;
    },
);
runWorker();
