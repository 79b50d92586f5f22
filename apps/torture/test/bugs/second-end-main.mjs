// The bug: a worker stores an outcome even if one exists. A late attempt ends its call once more.
import { CallStore, Publisher, replace, runWorker } from './shipped.mjs';

replace(
  Publisher,
  'publish',
  (publish) =>
    function (message) {
      if (message.subject.startsWith('outcomes.')) {
        message.headers.delete('Nats-Expected-Last-Subject-Sequence');
        message.headers.delete('Nats-Expected-Last-Subject-Sequence-Subject');
      }
      return publish.call(this, message);
    },
);
replace(CallStore, 'findOutcome', () => () => Promise.resolve(undefined));
runWorker();
