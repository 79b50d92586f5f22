// The worker as it is shipped, but for one fault: at the step of settling FAULT_STEP of the call FAULT_CALL_ID it kills
// itself without a word. Only while the file FAULT_FILE is there, which it removes: those that come later go on.
import { unlinkSync } from 'node:fs';
import { runProcess } from '@asyncfn/service-kit';

const dist = new URL('../../../worker/dist/', import.meta.url);
const { workerConfig } = await import(new URL('config.js', dist).href);
const { createWorker } = await import(new URL('service.js', dist).href);
const { FAULT_STEP, FAULT_CALL_ID, FAULT_FILE } = process.env;

function onSettleStep(step, callId) {
  if (step === FAULT_STEP && callId === FAULT_CALL_ID && isArmed()) {
    process.kill(process.pid, 'SIGKILL');
  }
}

function isArmed() {
  try {
    unlinkSync(FAULT_FILE);
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
