// The bug: a gateway answers 202 before the PubAck. The call is stored a moment after its caller was told that it is.
import { CallQueue, replace, runGateway } from './shipped.mjs';

replace(
  CallQueue,
  'accept',
  (accept) =>
    function (call, options) {
      setTimeout(() => void accept.call(this, call, options), 100);
      return Promise.resolve({ kind: 'stored', sequence: 0, duplicate: false });
    },
);
runGateway();
