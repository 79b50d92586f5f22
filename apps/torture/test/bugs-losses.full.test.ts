import { pauseWorker } from '../src/faults/process-faults.ts';
import { testCaught } from './bugs/catch-bugs.ts';

testCaught([
  {
    bug: '202 before the PubAck',
    mains: { gateway: 'early-answer' },
    faults: ['kill gateway'],
    caughtBy: 'nothing accepted is lost',
  },
  {
    bug: 'ack before the function is invoked',
    mains: { worker: 'early-ack' },
    faults: ['kill worker'],
    caughtBy: 'nothing accepted is lost',
  },
  {
    bug: 'ack before the outcome',
    mains: { worker: 'late-outcome' },
    faults: ['kill worker'],
    caughtBy: 'nothing accepted is lost',
  },
  {
    bug: 'hand-over of a stopping worker lost',
    mains: { worker: 'lost-handover' },
    faults: ['stop worker'],
    caughtBy: 'handed over at once',
    workerEnv: { ACK_WAIT: '20s', SHUTDOWN_TIMEOUT: '1ms' },
    settleMs: 25_000,
  },
  {
    bug: 'end recorded without proof that its call is there',
    mains: { worker: 'unproven-end' },
    // Long enough to end the call elsewhere, and to forget that end.
    faults: [pauseWorker([13_000, 14_000])],
    caughtBy: 'one end',
    workerEnv: { ACK_WAIT: '1s' },
    gapMs: 1_000,
    haste: 200,
    rate: 50,
    durationMs: 6_000,
  },
]);
