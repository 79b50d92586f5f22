import { testCaught } from './bugs/catch-bugs.ts';

testCaught([
  {
    bug: 'retry without message id and expected sequence',
    mains: { worker: 'unchecked-retry' },
    faults: ['pause worker', 'partition worker'],
    caughtBy: 'once without a crash',
    workerEnv: { ACK_WAIT: '1s' },
    // So that the attempts of both workers come one after the other, and not at once.
    retry: { attempts: 5, minWait: '2s', maxWait: '2s', backoff: 'exponential' },
    retryWaitMs: 2_000,
    // Long enough for those retries to come while no fault is active: a fault would excuse them.
    gapMs: 5_000,
    durationMs: 30_000,
  },
  {
    bug: 'outcome without expected sequence',
    mains: { worker: 'second-end' },
    faults: ['pause worker', 'partition worker'],
    caughtBy: 'one end',
    workerEnv: { ACK_WAIT: '1s' },
  },
  {
    bug: 'id of a step not derived',
    mains: { worker: 'underived-step' },
    faults: ['kill worker'],
    caughtBy: 'each step once',
    workerEnv: { ACK_WAIT: '1s' },
  },
]);
