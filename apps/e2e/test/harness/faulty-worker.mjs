// The shipped worker with faults: it kills itself without a log line at each step of settling a call for which the
// folder FAULT_FOLDER has a file. It removes the file, so that later workers go on.
import { unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { runProcess } from '@asyncfn/service-kit';

const dist = new URL('../../../worker/dist/', import.meta.url);
const { workerConfig } = await import(new URL('config.js', dist).href);
const { createWorker } = await import(new URL('service.js', dist).href);
const { FAULT_FOLDER } = process.env;

function onSettleStep(step, callId) {
  if (isArmed(`${step} ${callId}`)) {
    process.kill(process.pid, 'SIGKILL');
  }
}

function isArmed(fault) {
  try {
    unlinkSync(join(FAULT_FOLDER, fault));
    return true;
  } catch (error) {
    if (error.code === 'ENOENT') {
      return false;
    }
    throw error;
  }
}

await runProcess({
  process,
  name: 'worker',
  version: '0.0.0',
  schema: workerConfig,
  create: (config, context) => createWorker(config, context, { onSettleStep }),
});
