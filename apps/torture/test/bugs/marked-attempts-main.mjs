// The bug: the end of a batch is counted by attempts. A call that was retried counts several times.
import { CallStore, replace, runWorker } from './shipped.mjs';

replace(
  CallStore,
  'recordOutcome',
  (recordOutcome) =>
    async function (outcome, body) {
      const { batch, attempts } = outcome;
      for (let more = 1; batch !== undefined && more < attempts; more++) {
        const index = 1_000_000 + batch.index * 100 + more;
        await this.putMark({ ...outcome, batch: { ...batch, index } });
      }
      return recordOutcome.call(this, outcome, body);
    },
);
runWorker();
