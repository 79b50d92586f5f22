// The bug: a retry has neither a message id nor an expected sequence. If two workers hold the same attempt, each stores
// the next one.
import { CallStore, Publisher, replace, runWorker } from './shipped.mjs';

replace(
  Publisher,
  'publish',
  (publish) =>
    function (message) {
      if (message.subject.includes('.later.')) {
        for (const name of ['Nats-Msg-Id', 'Nats-Expected-Last-Subject-Sequence']) {
          message.headers.delete(name);
        }
        message.headers.delete('Nats-Expected-Last-Subject-Sequence-Subject');
      }
      return publish.call(this, message);
    },
);
replace(
  CallStore,
  'placeOf',
  (placeOf) =>
    async function (delivery) {
      const place = await placeOf.call(this, delivery);
      return place === 'superseded' ? 'newest' : place;
    },
);
runWorker();
